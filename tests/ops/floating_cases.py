"""Cases of the primitives of integers and of real floating numbers beyond arithmetic."""

from dopegraph.runtime.errors import DTypeError, ShapeError
from tests.ops.cases import Case
from tests.ops.cases import _each as each

FLOAT = ("f64[2,3]", "f32[3]", "f16[]", "f64[0,2]", "f64[]")
BINARY = ("f64[2,3] f64[2,3]", "f64[3] f64[2,3]", "f64[2,1] f64[1,3]", "f64[] f64[2]", "f64[] f64[]",
          "f64[0,2] f64[1,2]", "f32[2] f32[]", "f16[2] f16[2]")  # fmt: skip
INTEGERS = ("i32[2] i32[2]", "u8[2,1] u8[2]", "i64[] i64[]", "i8[0] i8[1]", "u64[3] u64[3]")
ONE = ("i32[2,2]", "u8[3]", "i64[]", "i8[0,2]", "u64[2]", "i16[3]")

CASES = [
    *each("bitwise_and bitwise_or bitwise_xor left_shift right_shift", *INTEGERS, high=7),
    *each("gcd lcm", *INTEGERS, low=-9, high=9),
    *each("bitwise_not bitwise_count", *ONE, low=-9, high=9),
    *each("reciprocal", "i32[2]", "u8[]", low=1),
    *each("hypot copysign fmax fmin heaviside logaddexp logaddexp2 nextafter", *BINARY),
    *each("fmod", *BINARY, low=0.4),
    *each("fmod", *INTEGERS, low=1),
    *each("fmax fmin", *INTEGERS),
    *each("spacing signbit degrees radians exponent", *FLOAT),
    *each("ldexp", "f64[2,3] i32[3]", "f64[] i64[2]", "f32[2] i32[]", "f16[2] i32[2]", "f64[0] i64[1]"),
    *[Case("bessel_i", one, {"order": order}, -9, 9) for one in FLOAT for order in (0, 1, 3)],
]

REJECTED = [
    ("bitwise_and", "f64[] f64[]", {}, DTypeError, "integers, not float64"),
    ("bitwise_or", "bool[] bool[]", {}, DTypeError, "integers, not bool"),
    ("left_shift", "i32[] i64[]", {}, DTypeError, "cast them to one"),
    ("gcd", "i32[2] i32[3]", {}, ShapeError, "do not broadcast"),
    ("bitwise_not", "bool[]", {}, DTypeError, "integers, not bool"),
    ("bitwise_count", "f32[]", {}, DTypeError, "integers, not float32"),
    ("hypot", "c64[] c64[]", {}, DTypeError, "not complex64"),
    ("fmod", "c64[] c64[]", {}, DTypeError, "not complex64"),
    ("signbit", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("spacing", "i32[]", {}, DTypeError, "real floating numbers, not int32"),
    ("degrees", "c64[]", {}, DTypeError, "real floating numbers, not complex64"),
    ("exponent", "i32[]", {}, DTypeError, "real floating numbers, not int32"),
    ("ldexp", "f32[] f32[]", {}, DTypeError, "signed integers as exponents, not float32"),
    ("ldexp", "f32[] u64[]", {}, DTypeError, "signed integers as exponents, not uint64"),
    ("ldexp", "i32[] i32[]", {}, DTypeError, "real floating numbers, not int32"),
    ("bessel_i", "i32[]", {"order": 0}, DTypeError, "real floating numbers, not int32"),
]
