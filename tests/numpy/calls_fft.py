"""Calls of the functions of ``numpy.fft``."""

_ONE = ["x", "d", "z", "i", "u", "b", "f", "t", "q", "v", "[1, 2, 3]", "[1.5]", "k"]
_HOW = ["", ", 3", ", 7", ", axis=0", ", 2, 0", ", 5, -1", ', norm="ortho"', ', n=6, axis=-1, norm="forward"',
        ', None, -1, "backward"']  # fmt: skip
_SEVERAL = ["", ", axes=(0, 1)", ", axes=(-1,)", ", (2, 3), (0, 1)", ", s=(4, 5), axes=(-1, 0)", ', norm="ortho"',
            ", s=(-1, 2), axes=(0, 1)", ', (3, 4), axes=(-2, -1), norm="forward"']  # fmt: skip


def _calls(names: str, operands: list[str], ways: list[str]) -> str:
    return "\n".join(f"np.fft.{name}({one}{how})" for name in names.split() for one in operands for how in ways)


def _possible(name: str, operand: str, how: str) -> bool:
    """Complex numbers have no real transform; one number has none back without a length."""
    if operand == "z":
        return name not in ("rfft", "ihfft")
    return operand != "[1.5]" or name not in ("irfft", "hfft") or any(number in how for number in "3567")


_ONE_AXIS = "\n".join(
    f"np.fft.{name}({operand}{how})"
    for name in ("fft", "ifft", "rfft", "ihfft", "irfft", "hfft")
    for operand in _ONE
    for how in _HOW
    if _possible(name, operand, how)
)

CALLS = {
    "fft": _ONE_AXIS
    + "\n"
    + _calls("fftn ifftn fft2 ifft2 irfftn irfft2", ["x", "z", "i", "t"], _SEVERAL)
    + "\n"
    + _calls("rfftn rfft2", ["x", "d", "i", "t"], _SEVERAL)
    + """
np.fft.fftn(q)
np.fft.fft(h)
np.fft.ifft(h, 3).dtype
np.fft.rfft(h)
np.fft.ihfft(h, 5).dtype
np.fft.irfft(h)
np.fft.irfft(h, 3, axis=0)
np.fft.hfft(h)
np.fft.irfft2(h).dtype
np.fft.irfftn(h, axes=(1,))
np.fft.fftn(x, axes=(0, 0))
np.fft.fftn(x, axes=())
np.fft.rfftn(q, axes=(1, 2, 3))
np.fft.irfftn(q)
np.fft.fftn(v)
np.fft.fft(x, out=np.zeros((3, 4), "complex64"))
np.fft.ifft(d, out=np.zeros((3, 4), "complex128"))
np.fft.rfft(x, out=np.zeros((3, 3), "complex64"))
np.fft.irfft(z, out=np.zeros((3, 6), "float32"))
np.fft.hfft(z, out=np.zeros((3, 6), "float32"))
np.fft.fftn(x, out=np.zeros((3, 4), "complex64"))
np.fft.rfft2(x, out=np.zeros((3, 3), "complex64"))
np.fft.fft(e)
np.fft.fft(np.zeros((2, 0, 4)))
np.fft.rfft(e, axis=1)
np.fft.ifft(np.fft.fft(d))
np.fft.irfft(np.fft.rfft(d), 4)
np.fft.fftfreq(5)
np.fft.fftfreq(6, 0.5)
np.fft.fftfreq(1)
np.fft.fftfreq(4, d=2)
np.fft.fftfreq(n=8, d=0.1)
np.fft.rfftfreq(5)
np.fft.rfftfreq(6, 0.5)
np.fft.rfftfreq(1)
np.fft.fftshift(v)
np.fft.fftshift(x)
np.fft.fftshift(x, 0)
np.fft.fftshift(t, axes=(1, -1))
np.fft.fftshift([1, 2, 3])
np.fft.ifftshift(v)
np.fft.ifftshift(x)
np.fft.ifftshift(t, axes=[0, 2])
np.fft.ifftshift(np.fft.fftshift(o))
""",
    "errors": """
np.fft.fft(x, 0)
np.fft.fft(x, -1)
np.fft.fft(x, 2.5)
np.fft.fft(x, axis=2)
np.fft.fft(x, norm="none")
np.fft.fft(2.0)
np.fft.fft(e, axis=0)
np.fft.fft(np.zeros((2, 0)))
np.fft.rfft(z)
np.fft.ihfft(z)
np.fft.irfft(c)
np.fft.irfft(x, axis=3)
np.fft.fft(x, out=np.zeros((3, 4), "float32"))
np.fft.fft(x, out=np.zeros((3, 5), "complex64"))
np.fft.fft2(v)
np.fft.fftn(x, s=(1, 2, 3), axes=(0, 1))
np.fft.fftn(x, axes=(0, 2))
np.fft.rfftn(x, axes=())
np.fft.irfftn(x, axes=(5,))
np.fft.fftfreq(2.5)
np.fft.fftfreq(3, device="gpu")
np.fft.rfftfreq("a")
np.fft.fftshift(x, axes=2)
np.fft.ifftshift(x, axes=(0, 5))
""",
}
