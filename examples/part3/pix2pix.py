"""Image to image translation with pix2pix (the book's chapter 10): U-nets paint facades, read streets, and draw maps.

python -m examples.part3.pix2pix

Isola et al., *Image-to-Image Translation with Conditional Adversarial Networks*, 2017. The pairs of pictures are drawn.
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches, facades, maps, streets
from examples.chapter import compare, on_device, options, picture, plot_curves, progress

# The book has pictures only. The distances are those of generated pictures for held-out inputs from the truth, of
# facades, streets and maps, in pixels from -1 to 1, and, by the side of them, those of the mean of all outputs.
BOOK = {
    "discriminator_parameters": 2770497,
    "patches": [35, 35],
    "distances": "not in the book",
    "distances_of_the_mean_picture": "not in the book",
}

np.random.seed(1)

batch_size, pool_size, held_out = 10, 50, 20
lr, beta1, lambda1 = 0.0002, 0.5, 100
width, num_downs, size = 24, 6, 64  # the book's are 64, 8 and 256


class UnetSkipUnit(nn.Block):
    """Halve the image, do what is inside, double it again; what came in stands beside what comes out."""

    def __init__(self, inner_channels, outer_channels, inner_block=None, outermost=False, use_dropout=False):
        super().__init__()
        with self.name_scope():
            self.outermost, self.model = outermost, nn.Sequential()
            down = nn.Conv2D(inner_channels, kernel_size=4, strides=2, padding=1, use_bias=False)
            up = nn.Conv2DTranspose(outer_channels, kernel_size=4, strides=2, padding=1, use_bias=outermost)
            norms = [nn.BatchNorm(momentum=0.1) for _ in range(2)]
            if outermost:
                self.model.add(down, inner_block, nn.Activation("relu"), up, nn.Activation("tanh"))
            elif inner_block is None:
                self.model.add(nn.LeakyReLU(0.2), down, nn.Activation("relu"), norms[0], up)
            else:
                self.model.add(nn.LeakyReLU(0.2), down, norms[0], inner_block, nn.Activation("relu"), up, norms[1])
            if use_dropout:
                self.model.add(nn.Dropout(0.5))

    def forward(self, x):
        y = self.model(x)
        return y if self.outermost else np.concatenate([y, x], axis=1)


def unet_generator(num_downs, width):
    """From pictures to pictures, which are halved so many times that one pixel is left."""
    unet = UnetSkipUnit(8 * width, 8 * width)
    for _ in range(num_downs - 5):
        unet = UnetSkipUnit(8 * width, 8 * width, unet, use_dropout=True)
    for channels in (4, 2, 1):
        unet = UnetSkipUnit(2 * channels * width, channels * width, unet)
    return UnetSkipUnit(width, 3, unet, outermost=True)


def patch_discriminator(width, n_layers=3):
    """From pairs of pictures, six channels, to a number for every patch, positive if it seems real."""
    net = nn.Sequential()
    with net.name_scope():
        net.add(nn.Conv2D(width, kernel_size=4, strides=2, padding=2), nn.LeakyReLU(0.2))
        for n in range(1, n_layers + 1):
            channels, strides = min(2**n, 8) * width, 1 if n == n_layers else 2
            net.add(nn.Conv2D(channels, kernel_size=4, strides=strides, padding=2, use_bias=False))
            net.add(nn.BatchNorm(momentum=0.1), nn.LeakyReLU(0.2))
        net.add(nn.Conv2D(1, kernel_size=4, strides=1, padding=2))
    return net


class ImagePool:
    """Half of the time the discriminator sees an old pair, not the new one; each of a batch has a part of the pool."""

    def __init__(self, pool_size, shape):
        self.images, self.num_imgs = np.zeros((pool_size, *shape)), np.array(0)

    def query(self, images):
        n, pool_size = len(images), len(self.images)
        next_ones, part = self.num_imgs + np.arange(n), pool_size // n
        is_free = next_ones < pool_size
        any_one = part * np.arange(n) + np.random.uniform(0, part, n).astype(int) % part
        slots = np.where(is_free, next_ones, any_one)
        is_old = ~is_free & (np.random.uniform(0, 1, n) > 0.5)
        is_old, is_kept = (np.reshape(one, (n, 1, 1, 1)) for one in (is_old, is_old | is_free))
        old = self.images[slots]
        self.images[slots] = np.where(is_kept, images, old)
        self.num_imgs = np.minimum(self.num_imgs + n, pool_size)
        return np.where(is_old, old, images)


netG, netD = unet_generator(num_downs, width), patch_discriminator(width)
GAN_loss = nn.SigmoidBinaryCrossEntropyLoss()
L1_loss = nn.L1Loss()


def set_network():
    """New parameters, trainers and a new pool."""
    global trainerG, trainerD, image_pool
    for net, channels in ((netG, 3), (netD, 6)):
        net.initialize(init.Normal(0.02), force_reinit=True)
        net(np.zeros((1, channels, size, size)))  # the shapes of all parameters become known
        for param in net.collect_params(".*gamma").values():
            param.set_data(np.random.normal(1, 0.02, param.shape))
    trainerG = optim.Trainer(netG.collect_params(), "adam", {"learning_rate": lr, "beta1": beta1})
    trainerD = optim.Trainer(netD.collect_params(), "adam", {"learning_rate": lr, "beta1": beta1})
    image_pool = ImagePool(pool_size, (6, size, size))


set_network()


@dopegraph.compile
def train_step(real_in, real_out):
    """An update of each network. The generator runs once, in the book once more, and then without dropout."""
    with dopegraph.record():
        fake_out = netG(real_in)
    fake_concat = image_pool.query(np.concatenate([real_in, fake_out], axis=1))
    with dopegraph.record():
        fake_output = netD(dopegraph.stop_gradient(fake_concat))
        errD_fake = GAN_loss(fake_output, np.zeros_like(fake_output))
        real_output = netD(np.concatenate([real_in, real_out], axis=1))
        errD_real = GAN_loss(real_output, np.ones_like(real_output))
        errD = (errD_real + errD_fake) * 0.5
    errD.backward(retain_graph=True)  # the generator is still to come
    trainerD.step(len(real_in))
    with dopegraph.record():  # `fake_out` is still that of the first block
        output = netD(np.concatenate([real_in, fake_out], axis=1))
        errG = GAN_loss(output, np.ones_like(output)) + lambda1 * L1_loss(fake_out, real_out)
    errG.backward()
    trainerG.step(len(real_in))
    accuracy = (np.mean(real_output > 0) + np.mean(fake_output < 0)) / 2
    return np.mean(errD), np.mean(errG), accuracy


@dopegraph.compile
def generate(real_in):
    return netG(real_in)


def full_discriminator():
    """Numbers in the book's discriminator, and how many patches it judges."""
    net = patch_discriminator(64)
    net.initialize()
    patches = net(np.zeros((1, 6, 256, 256))).shape[2:]
    return sum(param.data().size for param in net.collect_params().values()), list(patches)


def train(name, sources, targets, chosen):
    """Learn to translate; pictures of the first held-out input on the way, of all in the end, and the losses."""
    set_network()
    train_data = batches(sources[held_out:], targets[held_out:], batch_size=batch_size, seed=1, last="discard")
    real_in, seen, history = on_device(sources[:held_out]), [], []
    for e in range(chosen.epochs):
        for real_pair in progress(train_data, e, chosen.steps):
            history.append([float(one) for one in train_step(*real_pair)])
        seen.append(generate(real_in))
        print("{}, epoch {}. Losses {:.4f} and {:.4f}, accuracy {:.4f}".format(name, e, *history[-1]))
    return seen, history


def main(arguments=None):
    chosen = options(__doc__, epochs=40, arguments=arguments)
    found = dict(zip(BOOK, (*full_discriminator(), [], [])), train_step=train_step)
    count = held_out + (2 * batch_size if chosen.quick else 180)
    for name, draw_pairs in (("facades", facades), ("streets", streets), ("maps", maps)):
        labels, pictures = (one.astype("float32") / 127.5 - 1 for one in draw_pairs(count, seed=1))
        # The book's facades are reversed, too: from labels to pictures.
        sources, targets = (labels, pictures) if name == "facades" else (pictures, labels)
        seen, history = train(name, sources, targets, chosen)
        found["distances"].append(float(np.mean(np.abs(seen[-1] - on_device(targets[:held_out])))))
        without = abs(targets[held_out:].mean(axis=0) - targets[:held_out]).mean()
        found["distances_of_the_mean_picture"].append(float(without))
        if chosen.plots:
            draw(chosen.plots / f"pix2pix_{name}.png", sources, targets, seen)
            curves = dict(zip(("discriminator", "generator", "accuracy of the discriminator"), zip(*history)))
            plot_curves(chosen.plots / f"pix2pix_{name}_losses.png", curves, f"Losses, {name}", "log")
    compare(BOOK, found)
    return found


def draw(path, sources, targets, seen):
    """Held-out pairs, what was made of them, and how the first one became what it is."""
    steps = [i * (len(seen) - 1) // 7 for i in range(8)]
    rows = [sources[:8], seen[-1][:8], targets[:8], [seen[e][0] for e in steps]]
    names = ["input"] * 8 + ["generated"] * 8 + ["truth"] * 8 + [f"epoch {e}" for e in steps]
    with picture(path, 4, 8, (14, 7.5), layout="constrained") as axes:
        for place, image, name in zip(axes.flat, (image for row in rows for image in row), names):
            place.imshow(np.transpose(np.asarray(image), (1, 2, 0)) / 2 + 0.5)
            place.set_title(name)
            place.axis("off")


if __name__ == "__main__":
    main()
