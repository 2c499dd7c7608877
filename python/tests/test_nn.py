# SPDX-License-Identifier: MIT
"""Modules, layers, losses and states: against NumPy in float64, on every device."""

import copy
import math
import pickle

import numpy as np
import pytest
from networks import DEVICES, disc, slope, small

import overtake as ot
from overtake import nn

rng = np.random.default_rng(11)


def erf(x):
    return np.vectorize(math.erf)(x)


ACTIVATIONS = {
    "ReLU": lambda x: np.maximum(x, 0),
    "LeakyReLU": lambda x: np.where(x > 0, x, 0.01 * x),
    "Tanh": np.tanh,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "GELU": lambda x: x / 2 * (1 + erf(x / math.sqrt(2))),
    "SiLU": lambda x: x / (1 + np.exp(-x)),
    "Softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_gradients(name, device):
    values, factors = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    x = ot.asarray(values, dtype="float32", device=device).requires_grad_()
    y = getattr(nn, name)()(x)
    np.testing.assert_allclose(y.numpy(), ACTIVATIONS[name](values), rtol=1e-5, atol=1e-6)
    ot.sum(y * ot.asarray(factors, dtype="float32", device=device)).backward()
    expected = slope(lambda at: (ACTIVATIONS[name](at) * factors).sum(), values)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_linear(device):
    layer = nn.Linear(4, 3).to(device)
    x = rng.normal(size=(5, 4)).astype("float32")
    w, b = layer.weight.numpy().astype("float64"), layer.bias.numpy()
    y = layer(ot.asarray(x, device=device))
    np.testing.assert_allclose(y.numpy(), x @ w.T + b, rtol=1e-5, atol=1e-6)
    ot.sum(y**2).backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), 2 * (x @ w.T + b).T @ x, rtol=1e-4, atol=1e-5)
    assert abs(w).max() <= 0.5
    assert layer.device == layer.weight.grad.device == device
    assert nn.Linear(4, 3, bias=False).parameter_count() == 12


@pytest.mark.parametrize("device", DEVICES)
def test_layer_norm_and_batch_norm(device):
    x = rng.normal(2, 3, size=(6, 4)).astype("float32")
    given = ot.asarray(x, device=device)
    norm = nn.LayerNorm(4).to(device)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(norm(given).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert nn.LayerNorm((3, 4)).weight.shape == (3, 4)
    batch = nn.BatchNorm1d(4).to(device)
    np.testing.assert_allclose(batch(given).numpy(), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(batch.running_mean.numpy(), 0.1 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(batch.running_var.numpy(), 0.9 + 0.1 * x.var(0, ddof=1), rtol=1e-5)
    assert int(batch.num_batches_tracked) == 1
    running = (x - batch.running_mean.numpy()) / np.sqrt(batch.running_var.numpy() + 1e-5)
    np.testing.assert_allclose(batch.eval()(given).numpy(), running, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_embedding(device):
    table = nn.Embedding(5, 3, padding_idx=2).to(device)
    places = np.array([[0, 2], [4, 4]])
    y = table(ot.asarray(places, device=device))
    np.testing.assert_array_equal(y.numpy(), table.weight.numpy()[places])
    ot.sum(y).backward()
    np.testing.assert_array_equal(table.weight.grad.numpy().sum(1), [3, 0, 0, 0, 6])
    assert repr(table) == "Embedding(num_embeddings=5, embedding_dim=3, padding_idx=2)"


@pytest.mark.parametrize("device", DEVICES)
def test_dropout_drops_in_training_alone(device):
    x = ot.ones((100, 100), device=device)
    layer = nn.Dropout(0.3).to(device)
    first, second = layer(x).numpy(), layer(x).numpy()
    assert (first != second).any()
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((first == 0).mean() - 0.3) < 0.03
    np.testing.assert_array_equal(layer.eval()(x).numpy(), x.numpy())
    assert (nn.Dropout(1.0).to(device)(x).numpy() == 0).all()


# -- losses ------------------------------------------------------------------------------------------------------------


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def huber(d, delta=1.0):
    return np.where(abs(d) <= delta, d * d / 2, delta * (abs(d) - delta / 2))


OF_ELEMENTS = {
    "MSELoss": lambda o, t: (o - t) ** 2,
    "L1Loss": lambda o, t: abs(o - t),
    "HuberLoss": lambda o, t: huber(o - t),
    "SmoothL1Loss": lambda o, t: huber(o - t),
    "BCEWithLogitsLoss": lambda o, t: np.maximum(o, 0) - o * t + np.log1p(np.exp(-abs(o))),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", OF_ELEMENTS)
def test_losses_of_elements(name, device):
    values, target = 2 * rng.normal(size=(6, 3)), rng.uniform(size=(6, 3))
    output = ot.asarray(values, dtype="float32", device=device).requires_grad_()
    aim = ot.asarray(target, dtype="float32", device=device)
    losses = OF_ELEMENTS[name](values, target)
    kind = getattr(nn, name)
    np.testing.assert_allclose(kind(reduction="none")(output, aim).numpy(), losses, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(float(kind(reduction="sum")(output, aim)), losses.sum(), rtol=1e-5)
    loss = kind()(output, aim)
    np.testing.assert_allclose(float(loss), losses.mean(), rtol=1e-5)
    loss.backward()
    expected = slope(lambda at: OF_ELEMENTS[name](at, target).mean(), values)
    np.testing.assert_allclose(output.grad.numpy(), expected, rtol=1e-4, atol=1e-6)
    weights = rng.uniform(size=6)
    got = float(kind()(output, aim, sample_weight=weights))
    np.testing.assert_allclose(got, (losses * weights[:, None]).sum() / (3 * weights.sum()), rtol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_cross_entropy(device):
    values, labels, weight = rng.normal(size=(7, 3)), np.array([0, 1, 2, 1, 0, 2, 2]), np.array([1.0, 2.0, 0.5])
    output = ot.asarray(values, dtype="float32", device=device).requires_grad_()
    target = ot.asarray(labels, device=device)  # int64, as NumPy's
    losses = -log_softmax(values)[range(7), labels]
    loss = nn.CrossEntropyLoss()(output, target)
    np.testing.assert_allclose(float(loss), losses.mean(), rtol=1e-5)
    loss.backward()
    expected = slope(lambda at: -log_softmax(at)[range(7), labels].mean(), values)
    np.testing.assert_allclose(output.grad.numpy(), expected, rtol=1e-4, atol=1e-6)
    by_class = float(nn.CrossEntropyLoss(weight=weight)(output, target))
    np.testing.assert_allclose(by_class, (losses * weight[labels]).sum() / weight[labels].sum(), rtol=1e-5)
    kept = labels != 1
    np.testing.assert_allclose(
        float(nn.CrossEntropyLoss(ignore_index=1)(output, target)), losses[kept].mean(), rtol=1e-5
    )
    smooth = 0.9 * losses - 0.1 * log_softmax(values).mean(1)
    got = float(nn.cross_entropy(output, target, label_smoothing=0.1))
    np.testing.assert_allclose(got, smooth.mean(), rtol=1e-5)


# -- modules -----------------------------------------------------------------------------------------------------------


class Residual(nn.Module):
    """A module of one's own: two layers, a weight, a buffer that counts, a branch."""

    def __init__(self):
        self.first = nn.Linear(2, 6)
        self.last = nn.Linear(6, 2)
        self.scale = nn.Parameter(np.ones(6, dtype="float32"))
        self.register_buffer("calls", ot.zeros((1,)))

    def forward(self, x):
        self.calls = self.calls + 1
        hidden = ot.tanh(self.first(x))
        if self.training:
            hidden = hidden * self.scale
        return self.last(hidden)


def test_a_module_of_ones_own_is_what_its_attributes_are():
    module = Residual()
    names = ["scale", "first.weight", "first.bias", "last.weight", "last.bias"]
    assert [name for name, _ in module.named_parameters()] == names
    assert [name for name, _ in module.named_modules()] == ["", "first", "last"]
    assert [name for name, _ in module.named_children()] == ["first", "last"]
    assert [name for name, _ in module.named_buffers()] == ["calls"]
    assert module.parameter_count() == 6 + 12 + 6 + 12 + 2
    assert repr(module) == (
        "Residual(\n  (first): Linear(in_features=2, out_features=6, bias=True)\n"
        "  (last): Linear(in_features=6, out_features=2, bias=True)\n)"
    )
    assert module.scale is dict(module.named_parameters())["scale"]
    module.eval()
    assert not module.training and not module.first.training
    del module.scale
    assert "scale" not in module.state_dict()
    with pytest.raises(AttributeError, match="scale"):
        _ = module.scale
    with pytest.raises(ot.UsageError, match="'first' is a parameter or a module"):
        module.first = 3


@pytest.mark.parametrize("device", DEVICES)
def test_gradients_of_a_module_of_ones_own(device):
    module = Residual().to(device)
    x = rng.normal(size=(4, 2))
    state = {name: value.numpy().astype("float64") for name, value in module.state_dict().items()}

    def value(scale):
        hidden = np.tanh(x @ state["first.weight"].T + state["first.bias"]) * scale
        return ((hidden @ state["last.weight"].T + state["last.bias"]) ** 2).sum()

    loss = ot.sum(module(ot.asarray(x, dtype="float32", device=device)) ** 2)
    np.testing.assert_allclose(float(loss), value(state["scale"]), rtol=1e-5)
    loss.backward()
    np.testing.assert_allclose(module.scale.grad.numpy(), slope(value, state["scale"]), rtol=1e-3, atol=1e-5)
    assert float(module.calls) == 1
    module.zero_grad()
    assert all(each.grad is None for each in module.parameters())


def test_shared_modules_and_parameters_count_once():
    layer = nn.Linear(3, 3)
    twice = nn.Sequential(layer, nn.ReLU(), layer)
    assert len(list(twice.parameters())) == 2
    assert list(twice.state_dict()) == ["0.weight", "0.bias"]

    class Tied(nn.Module):
        def __init__(self, shared):
            self.weight = shared

        def forward(self, x):
            return x @ self.weight

    shared = nn.Parameter(np.eye(2, dtype="float32"))
    net = nn.Sequential(Tied(shared), Tied(shared))
    assert len(list(net.parameters())) == 1
    ot.sum(net(ot.ones((1, 2)))).backward()
    np.testing.assert_array_equal(shared.grad.numpy(), [[2, 2], [2, 2]])
    optimizer = ot.optim.SGD(net.parameters(), lr=1.0)
    optimizer.step()
    np.testing.assert_array_equal(net[1].weight.numpy(), [[-1, -2], [-2, -1]])
    with pytest.raises(ot.UsageError, match="cannot be another parameter"):
        layer.weight = shared


def test_a_layer_can_be_derived_from():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    x = ot.ones((1, 2))
    layer = Doubled(2, 2)
    expected = 2 * (layer.weight.numpy().sum(1, keepdims=True).T + layer.bias.numpy())
    np.testing.assert_allclose(nn.Sequential(layer)(x).numpy(), expected, rtol=1e-6)
    assert repr(layer).startswith("Doubled(in_features=2")


def test_lists_of_modules():
    class Deep(nn.Module):
        def __init__(self):
            self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))

        def forward(self, x):
            for layer in self.layers:
                x = ot.relu(layer(x))
            return x

    deep = Deep()
    assert len(deep.layers) == 3 and deep.layers[-1] is deep.layers[2]
    assert next(iter(deep.state_dict())) == "layers.0.weight"
    assert deep(ot.ones((1, 2))).shape == (1, 2)
    net = small()
    assert len(net[1:]) == 2 and net[0] is next(iter(net))
    named = nn.Sequential({"in": nn.Linear(2, 1)})
    assert list(named.state_dict()) == ["in.weight", "in.bias"]


def test_the_seed_decides_the_values():
    first, second = small(seed=5).state_dict(), small(seed=5).state_dict()
    for name, value in first.items():
        np.testing.assert_array_equal(value.numpy(), second[name].numpy())
    again = small(seed=6).initialize(5).state_dict()
    np.testing.assert_array_equal(first["0.weight"].numpy(), again["0.weight"].numpy())


def test_errors_of_forward_are_the_callers_own():
    class Failing(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    class Wrong(nn.Module):
        def forward(self, x):
            return 3

    x = ot.ones((1, 2))
    with pytest.raises(KeyError, match="mine"):
        nn.Sequential(nn.Linear(2, 2), nn.Sequential(Failing()))(x)
    with pytest.raises(ot.UsageError, match=r"Wrong.forward\(\) returned int"):
        nn.Sequential(Wrong())(x)
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Linear(0, 3), "in_features"),
        (lambda: nn.Linear(2, 3)(np.ones((1, 2))), "expects an overtake.Array, got ndarray"),
        (lambda: nn.Linear(2, 3)(ot.ones((1, 5))), r"expects \(rows, 2\), got \(1, 5\)"),
        (lambda: nn.Dropout(1.5), "not in"),
        (lambda: nn.Conv2d(1, 1, 2, padding="same"), "one side would have more"),
        (lambda: nn.Conv2d(1, 1, 3, stride=2, padding="same"), "a stride of 1"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), "'valid' or 'same'"),
        (lambda: nn.Dropout(math.nan), "p is nan"),
        (lambda: nn.Softmax(dim=0), "last axis"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "padding_idx"),
        (lambda: nn.BatchNorm1d(3)(ot.ones((1, 3))), "BatchNorm1d"),
        (lambda: nn.MSELoss(reduction="all"), "reduction is 'all'"),
        (lambda: nn.MSELoss()(ot.ones((2, 2)), ot.ones((3, 2))), "shape"),
        (lambda: nn.CrossEntropyLoss()(ot.ones((2, 2)), np.ones(2)), "got ndarray"),
        (lambda: nn.Sequential(3), "expects modules, got int"),
        (lambda: small().load_state_dict({"0.weight": ot.ones((2, 2))}), "missing: .*another shape"),
        (lambda: small().load_state_dict([1]), "a state is a dict"),
        (lambda: small()[0].weight.copy_([1.0]), "has the shape"),
        (lambda: small().to("gpu7"), "gpu7"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(ot.OvertakeError, match=message):
        call()


# -- states ------------------------------------------------------------------------------------------------------------


def test_states_go_round(tmp_path):
    net, other = small(seed=1), small(seed=2)
    path = tmp_path / "state.safetensors"
    nn.save_state(path, net, {"note": "mine"})
    assert nn.load_state(path, other) == ([], [])
    x = ot.asarray(disc(10)[0])
    np.testing.assert_array_equal(net(x).numpy(), other(x).numpy())
    state = net.state_dict()
    before = state["0.weight"].numpy()
    with ot.no_grad():
        net[0].weight *= 2.0
    np.testing.assert_array_equal(state["0.weight"].numpy(), before)
    np.testing.assert_allclose(net[0].weight.numpy(), 2 * before)
    assert net[0].weight.requires_grad
    keys = net.load_state_dict({"0.weight": before, "more": ot.ones((1,))}, strict=False)
    assert keys.missing_keys == ["0.bias", "2.weight", "2.bias"] and keys.unexpected_keys == ["more"]
    halves = {name: value.astype("float16") for name, value in other.state_dict().items()}
    nn.write_state_dict(path, halves)
    assert nn.read_state_dict(path)["0.bias"].dtype == "float32"
    nn.load_state(path, other)
    with pytest.raises(ot.DataError, match="does not fit the module"):
        nn.load_state(path, nn.Linear(2, 2))
    with pytest.raises(ot.DataError):
        nn.load_state(tmp_path / "none", net)


def test_files_of_safetensors_are_read(tmp_path):
    """A file as another library writes it, byte by byte: bfloat16 and float64."""
    header = b'{"weight":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},'
    header += b'"bias":{"dtype":"F64","shape":[1],"data_offsets":[4,12]}}'
    values = np.array([0x3F80, 0xC000], dtype="<u2").tobytes() + np.array([0.25]).tobytes()
    (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + header + values)
    layer = nn.Linear(2, 1)
    nn.load_state(tmp_path / "a", layer)
    np.testing.assert_array_equal(layer.weight.numpy(), [[1, -2]])
    np.testing.assert_array_equal(layer.bias.numpy(), [0.25])


def test_modules_are_copied_and_pickled():
    x = ot.asarray(disc(10)[0])
    norm = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.1), Residual_of_three())
    norm(x)
    for other in (copy.deepcopy(norm.eval()), pickle.loads(pickle.dumps(norm))):
        np.testing.assert_array_equal(other(x).numpy(), norm(x).numpy())
        assert list(other.state_dict()) == list(norm.state_dict())
        assert not other.training
        with ot.no_grad():
            other[0].weight *= 0.0
        assert (norm[0].weight.numpy() != 0).all()
    loss = pickle.loads(pickle.dumps(nn.CrossEntropyLoss(weight=[1.0, 2.0])))
    assert float(loss(ot.ones((1, 2)), ot.asarray([0]))) == pytest.approx(math.log(2))


class Residual_of_three(nn.Module):
    def __init__(self):
        self.gain = nn.Parameter([2.0, 3.0, 4.0])

    def forward(self, x):
        return x + ot.relu(x) * self.gain


def test_predict_takes_rows_in_parts():
    net = nn.Sequential(small(), nn.Dropout(0.9))
    x = disc(10)[0]
    np.testing.assert_allclose(nn.predict(net, x, batch=3).numpy(), nn.predict(net, x).numpy(), rtol=1e-6)
    assert net.training


def test_gradients_are_clipped():
    net = small()
    ot.sum(net(ot.ones((4, 2))) ** 2).backward()
    norm = math.sqrt(sum((each.grad.numpy().astype("float64") ** 2).sum() for each in net.parameters()))
    assert float(nn.clip_grad_norm(net.parameters(), 0.5)) == pytest.approx(norm, rel=1e-5)
    clipped = math.sqrt(sum((each.grad.numpy().astype("float64") ** 2).sum() for each in net.parameters()))
    assert clipped == pytest.approx(min(norm, 0.5), rel=1e-4)
    nn.clip_grad_value(net.parameters(), 0.01)
    assert all(abs(each.grad.numpy()).max() <= 0.01 for each in net.parameters())


class Twice(nn.Linear):
    """A layer that adds to the one it is derived from."""

    def forward(self, x):
        return super().forward(x) * 2


class Branches(nn.Module):
    def __init__(self):
        self.body = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.Flatten())
        self.head = Twice(6 * 8 * 8, 3, bias=False)
        self.offset = nn.Parameter(np.zeros(3, "float32"))

    def forward(self, x):
        return self.head(self.body(x)) + self.offset


def test_summary_has_layers_wherever_they_are_called():
    found = nn.summary(Branches(), (2, 1, 8, 8))
    assert [(each.name, each.type, each.output_shape) for each in found.layers] == [
        ("body.0", "Conv2d", (2, 6, 8, 8)),
        ("body.1", "ReLU", (2, 6, 8, 8)),
        ("body.2", "Flatten", (2, 384)),
        ("head", "Linear", (2, 3)),
    ]
    assert [each.parameters for each in found.layers] == [6 * 25 + 6, 0, 0, 384 * 3]
    assert found.parameters == 156 + 1152 + 3
    assert [each.flops for each in found.layers] == [2 * 2 * 6 * 64 * 25, 0, 0, 2 * 2 * 384 * 3]
    assert found.device == "cpu" and f"convolutions on cpu: {found.convolutions}" in str(found)
    lenet = nn.summary(ot.models.lenet(), (1, 1, 28, 28))
    assert (lenet.parameters, len(lenet.layers), lenet.flops) == (61_706, 12, 833_040)


def test_summary_of_what_is_no_model_or_does_not_fit():
    with pytest.raises(ot.UsageError, match=r"expected an overtake\.nn\.Module"):
        nn.summary(3, (1,))
    with pytest.raises(ot.UsageError, match="Conv2d"):
        nn.summary(Branches(), (2, 3, 8, 8))

    class Broken(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        nn.summary(Broken(), (1, 2))
