"""DCGAN and pix2pix: derivatives through both networks, who moves in a step, the pool of old pictures."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from tests.examples.chapters import fresh


def pictures(count, channels, size=64, dtype="float32"):
    return np.array(numpy.random.default_rng(count).uniform(-1, 1, (count, channels, size, size)).astype(dtype))


STEPS = {
    "dcgan": lambda: (pictures(4, 1),),
    "pix2pix": lambda: (pictures(2, 3), pictures(2, 3)),
}


@pytest.mark.parametrize("is_compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", STEPS)
def test_both_players_move(name, is_compiled):
    """The generator learns from a graph that was recorded before the discriminator's update."""
    module = fresh(name, "part3")
    step = module.train_step if is_compiled else module.train_step.__dopegraph_function__
    parameters = [param for net in (module.netG, module.netD) for param in net.collect_params().values()]
    before = [param.data().copy() for param in parameters]
    with dopegraph.codegen("auto" if is_compiled else "never"):  # what is compiled once would be compiled in vain
        step(*STEPS[name]())
    # Also gamma and beta, and the moving averages of both.
    assert all(not np.array_equal(old, param.data()) for old, param in zip(before, parameters))


def float64(net, *shapes):
    net.initialize("xavier")
    net.cast("float64")
    net(*(np.zeros(shape, dtype="float64") for shape in shapes))
    return net


def check_derivatives(loss_of, net, x):
    """Along a direction of chance, of the data and of all parameters at once, against finite differences."""
    random = numpy.random.default_rng(0)
    arrays = [x, *(param.data() for param in net.collect_params().values() if param.grad_req != "null")]
    for array in arrays:
        array.attach_grad()
    with dopegraph.record():
        loss = loss_of(x)
    loss.backward()
    ways = [random.standard_normal(array.shape) for array in arrays]
    found = sum(float(np.sum(array.grad * way)) for array, way in zip(arrays, ways))
    step, ends = 1e-8, []  # small, as there are many kinks
    for sign in (1, -1):
        for array, way in zip(arrays, ways):
            array += sign * step * way
        with dopegraph.train_mode():
            ends.append(float(loss_of(x)))
        for array, way in zip(arrays, ways):
            array -= sign * step * way
    assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)


def test_derivatives_of_the_deep_convolutional_networks():
    module = fresh("dcgan", "part3")
    netG = float64(module.generator(2), (1, 100, 1, 1))
    netD = float64(module.discriminator(2), (1, 3, 64, 64))
    both = nn.Sequential(netG, netD)
    z = np.array(numpy.random.default_rng(1).standard_normal((3, 100, 1, 1)))
    check_derivatives(lambda z: np.mean(module.loss(both(z), np.ones((3, 1)))), both, z)


def test_derivatives_of_the_networks_of_pix2pix():
    module = fresh("pix2pix", "part3")
    netG = float64(module.unet_generator(5, 2), (1, 3, 32, 32))  # five halvings need no dropout
    netD = float64(module.patch_discriminator(2), (1, 6, 32, 32))
    truth = pictures(2, 3, 32, "float64")

    def loss_of(x):
        fake = netG(x)
        output = netD(np.concatenate([x, fake], axis=1))
        return np.mean(module.GAN_loss(output, np.ones_like(output)) + 100 * module.L1_loss(fake, truth))

    check_derivatives(loss_of, nn.Sequential(netG, netD), pictures(2, 3, 32, "float64"))


def test_skips_stand_beside_what_is_inside():
    """The outermost unit gives three channels, every other one twice as many as it got, the second half unchanged."""
    module = fresh("pix2pix", "part3")
    unit = module.UnetSkipUnit(8, 4)
    unit.initialize()
    x = pictures(2, 4, 16)
    y = unit(x)
    assert y.shape == (2, 8, 16, 16) and np.array_equal(y[:, 4:], x)
    net = module.unet_generator(6, 2)
    net.initialize()
    assert net(pictures(1, 3)).shape == (1, 3, 64, 64)
    assert sum(isinstance(one, nn.Dropout) for one in blocks_of(net)) == 1  # of eight halvings, three


def blocks_of(net):
    found = []
    net.apply(found.append)
    return found


@pytest.mark.parametrize("is_compiled", [False, True], ids=["eager", "compiled"])
def test_the_pool_gives_old_pictures_for_new_ones(is_compiled):
    module = fresh("pix2pix", "part3")
    size, n = 8, 4
    pool = module.ImagePool(size, (1, 1, 1))
    query = dopegraph.compile(pool.query) if is_compiled else pool.query
    inside, swaps = [], 0
    for call in range(60):
        new = [float(n * call + i + 1) for i in range(n)]
        found = np.ravel(query(np.array(new).reshape(n, 1, 1, 1))).asnumpy().tolist()
        kept = np.ravel(pool.images).asnumpy().tolist()
        if call < size // n:
            assert found == new and kept[: len(inside) + n] == inside + new
            inside += new
            continue
        # What came in went out again, or changed places with one that was inside.
        assert sorted(found + kept) == sorted(new + inside)
        assert all(f == x or f in inside for f, x in zip(found, new))
        swaps += sum(f != x for f, x in zip(found, new))
        inside = kept
    assert int(pool.num_imgs) == size
    assert 0.35 < swaps / (58 * n) < 0.65
    assert len(set(inside)) == size


def test_a_pool_that_is_not_a_multiple_of_the_batch_fills_up():
    module = fresh("pix2pix", "part3")
    pool = module.ImagePool(7, (1, 1, 1))
    for call in range(4):
        found = pool.query(np.arange(3.0).reshape(3, 1, 1, 1) + 3 * call + 1)
        assert float(np.min(found)) > 0  # nothing that was never put in comes out
    assert float(np.min(pool.images)) > 0


def test_faces_are_moved_and_mirrored():
    module = fresh("dcgan", "part3")
    images = numpy.broadcast_to(numpy.arange(0, 250, 10, dtype="uint8"), (2, 25, 25))
    prepared = module.prepared(images)
    assert prepared.shape == (36, 1, 64, 64) and prepared.dtype == "float32"
    assert prepared.min() >= -1 and prepared.max() <= 1
    slopes = numpy.sign(numpy.diff(prepared, axis=3).mean(axis=(1, 2, 3)))
    assert slopes.tolist() == [1] * 18 + [-1] * 18


def test_the_latent_walk_goes_straight():
    """Each step adds 0.05 to all numbers, in place, and what was before stays as it was."""
    module = fresh("dcgan", "part3")
    seen = []
    module.generate = lambda z: seen.append(z) or z
    module.latent_walk(4)
    (z,) = seen
    assert z.shape == (4, 100, 1, 1)
    numpy.testing.assert_allclose(np.diff(z, axis=0), 0.05, atol=1e-6)
