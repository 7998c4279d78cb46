"""What every random program begins with: state of all kinds, classes, helpers."""

HEAD = """W = np.array([0.5, -1.0, 2.0])
U = np.array([[1.0, 0.5, -0.25], [0.75, -1.5, 0.25]])
RATE, COUNT, FLAG, TEXT = 0.5, 1, False, ""
ITEMS = [np.array([1.0, 2.0, 3.0]), np.array([-0.5, 0.25, 0.75])]
TABLE = {"a": np.array([0.25, 0.5, 1.0]), "b": np.array([1.0, -1.0, 1.0])}
LOG = []
HOST = numpy.array([1.0, 2.0, 0.5], dtype="float32")
STREAM = iter([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 0.5, 1.5, 2.5, 3.5] * 5)
SCALE = [1.0]


@dopegraph.host_call(results=lambda v: v, gradient=lambda g, y, v: g * numpy.cos(v))
def on_host(v):
    return numpy.sin(v)


class Problem(Exception):
    pass


@dataclasses.dataclass
class Point:
    x: object
    y: object = 1.0


class Pair(NamedTuple):
    x: object
    y: object


class Child:
    def __init__(self):
        self.w = np.array([1.5, -0.5, 0.25])
        self.ready = False


class Model:
    total = 0
    shared = np.ones(3)

    def __init__(self, w):
        self.w = w
        self.m = np.ones((2, 3)) * 0.5
        self.t = 0
        self.scale = 0.5
        self.history = []
        self.parts = {"x": np.zeros(3)}
        self.child = Child()

    def doubled(self, v):
        return v * 2 * self.scale

    @property
    def half(self):
        return self.w / 2


class Special(Model):
    kind = "special"

    def doubled(self, v):
        return np.tanh(v) * self.scale

    @property
    def half(self):
        return self.w * 0.25


NET = dopegraph.nn.Sequential()
NET.add(dopegraph.nn.Dense(4, activation="tanh"), dopegraph.nn.BatchNorm(epsilon=1.0), dopegraph.nn.Dropout(0.25))
NET.add(dopegraph.nn.Dense(3))
NET.initialize(dopegraph.init.Normal(0.5))
TRAINER = dopegraph.optim.Trainer(NET.collect_params(), "sgd", {"learning_rate": 0.02, "momentum": 0.5, "wd": 0.01})


def chosen(v):
    return v * 0.5 + W


def tripled(v):
    return v * 3


MODEL = Model(np.array([1.0, 2.0, -1.0]))
POINT = Point(np.array([0.5, 0.25, -0.75]), np.array(0.5))


@contextlib.contextmanager
def scaled(by):
    old = SCALE[0]
    SCALE[0] = by
    try:
        yield by * 2
    finally:
        SCALE[0] = old


def powers(v, n):
    return v if n == 0 else np.tanh(powers(v * 0.5, n - 1)) + v
"""
