"""Deep convolutional GANs (the book's chapter 9): faces out of noise, and a walk through the space they come from.

python -m examples.part3.dcgan
"""

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches, faces_or_drawn, resized
from examples.chapter import compare, options, picture, plot_curves, progress

# The book's are those of the last line it prints, with 13,000 faces in colour and networks of four times the width. The
# last two say how far the mean of generated faces is from that of real ones, whose pixels are from -1 to 1, and how
# much generated faces differ from each other: 1 when as much as real ones do.
BOOK = {
    "generator_parameters": 3578624,
    "discriminator_parameters": 2767360,
    "discriminator_loss": 0.271539,
    "generator_loss": 5.291772,
    "accuracy": 0.86505,
    "distance_of_mean_faces": "not in the book",
    "variety": "not in the book",
}

np.random.seed(1)

batch_size, latent_z_size, width = 64, 100, 16  # the book's width is 64
lr, beta1 = 0.0002, 0.5


def generator(width):
    """From noise of shape (n, 100, 1, 1) to images of shape (n, 3, 64, 64)."""
    net = nn.Sequential()
    with net.name_scope():
        for channels, strides, padding in ((8, 1, 0), (4, 2, 1), (2, 2, 1), (1, 2, 1)):
            net.add(nn.Conv2DTranspose(channels * width, 4, strides, padding, use_bias=False))
            net.add(nn.BatchNorm())
            net.add(nn.Activation("relu"))
        net.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=False))
        net.add(nn.Activation("tanh"))
    return net


def discriminator(width):
    """From images to a number for each, positive if it seems real."""
    net = nn.Sequential()
    with net.name_scope():
        for channels in (1, 2, 4, 8):
            net.add(nn.Conv2D(channels * width, 4, 2, 1, use_bias=False))
            if channels > 1:
                net.add(nn.BatchNorm())
            net.add(nn.LeakyReLU(0.2))
        net.add(nn.Conv2D(1, 4, 1, 0, use_bias=False))
        net.add(nn.Flatten())
    return net


netG, netD = generator(width), discriminator(width)
for net in (netG, netD):
    net.initialize(init.Normal(0.02))
netD(netG(np.zeros((1, latent_z_size, 1, 1))))  # the shapes of all parameters become known
loss = nn.SigmoidBinaryCrossEntropyLoss()
trainerG = optim.Trainer(netG.collect_params(), "adam", {"learning_rate": lr, "beta1": beta1})
trainerD = optim.Trainer(netD.collect_params(), "adam", {"learning_rate": lr, "beta1": beta1})


@dopegraph.compile
def train_step(grey):
    """An update of each network. The book computes `fake` twice, and its gradient in vain before that."""
    n = grey.shape[0]
    data = np.tile(grey, (1, 3, 1, 1))
    real_label, fake_label = np.ones((n, 1)), np.zeros((n, 1))
    latent_z = np.random.normal(0, 1, (n, latent_z_size, 1, 1))
    with dopegraph.record():
        real_output = netD(data)
        fake = netG(latent_z)
        fake_output = netD(dopegraph.stop_gradient(fake))
        errD = loss(real_output, real_label) + loss(fake_output, fake_label)
    errD.backward(retain_graph=True)  # the generator is still to come
    trainerD.step(n)
    with dopegraph.record():  # `fake` is still that of the block above
        errG = loss(netD(fake), real_label)
    errG.backward()
    trainerG.step(n)
    # The book's metric compares numbers before the sigmoid with one half.
    accuracy = (np.mean(real_output > 0) + np.mean(fake_output < 0)) / 2
    return np.mean(errD), np.mean(errG), accuracy


@dopegraph.compile
def generate(latent_z):
    return netG(latent_z)


def prepared(images):
    """From -1 to 1; every face in nine places, and mirrored, as there are so few."""
    larger = resized(images.astype("float32"), (68, 68)) / 127.5 - 1
    moved = [larger[:, y : y + 64, x : x + 64] for y in (0, 2, 4) for x in (0, 2, 4)]
    return numpy.concatenate(moved + [one[:, :, ::-1] for one in moved])[:, None]


def full_sizes():
    """Numbers in both networks at the book's width, with the moving averages."""
    for net, data in (
        (generator(64), np.zeros((1, latent_z_size, 1, 1))),
        (discriminator(64), np.zeros((1, 3, 64, 64))),
    ):
        net.initialize()
        net(data)
        yield sum(param.data().size for param in net.collect_params().values())


def latent_walk(steps):
    """Images on a straight way through the space of the noise."""
    latent_z, way = np.random.normal(0, 1, (1, latent_z_size, 1, 1)), []
    for _ in range(steps):
        way.append(latent_z.copy())
        latent_z += 0.05
    return generate(np.concatenate(way))


def main(arguments=None):
    chosen = options(__doc__, epochs=100, arguments=arguments)
    images, name = faces_or_drawn(2 if chosen.quick else 100)
    real = prepared(images)
    train_data = batches(real, batch_size=12 if chosen.quick else batch_size, seed=1, last="discard")
    print(f"{len(images)} {name}, {len(real)} with all places and mirrored")
    history = []
    for e in range(chosen.epochs):
        for i, (data,) in enumerate(progress(train_data, e, chosen.steps)):
            history.append([float(one) for one in train_step(data)])
            if i % 10 == 0:
                print("Epoch {} batch {}. Losses {:.4f} and {:.4f}, accuracy {:.4f}".format(e, i, *history[-1]))
    fake = np.concatenate([generate(np.random.normal(0, 1, (12, latent_z_size, 1, 1))) for _ in range(20)])
    found = dict(zip(BOOK, [*full_sizes(), *history[-1]]), train_step=train_step)
    found["distance_of_mean_faces"] = float(np.sqrt(np.mean((np.mean(fake, axis=0) - np.mean(real, axis=0)) ** 2)))
    found["variety"] = float(np.mean(np.std(fake, axis=0)) / np.mean(np.std(real, axis=0)))
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, real[:4], fake[:8], latent_walk(12), history)
    return found


def visualize(axes, image):
    """An image with pixels from -1 to 1, of one channel or of three."""
    axes.imshow(np.repeat(np.transpose(image, (1, 2, 0)), 3 // len(image), axis=2) / 2 + 0.5)
    axes.axis("off")


def draw(folder, real, fake, walk, history):
    """Faces: real, generated, on the latent walk; and how the losses went."""
    for name, rows, columns, images in (("real", 1, 4, real), ("generated", 2, 4, fake), ("latent_walk", 3, 4, walk)):
        with picture(folder / f"dcgan_{name}.png", rows, columns, (2 * columns, 2 * rows), layout="tight") as axes:
            for place, image in zip(axes.flat, images):
                visualize(place, image)
    curves = dict(zip(("discriminator", "generator", "accuracy of the discriminator"), zip(*history)))
    plot_curves(folder / "dcgan_losses.png", curves, "Losses of the DCGAN")


if __name__ == "__main__":
    main()
