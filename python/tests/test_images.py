# SPDX-License-Identifier: MIT
"""Layers and networks for images: against NumPy in float64, on every device; names against torchvision's record."""

import copy
import json
import pathlib
import pickle
import threading

import numpy as np
import pytest
from networks import DEVICES, slope

import overtake as ot
from overtake import nn

rng = np.random.default_rng(23)
GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "torch_images.json"


def windows(x, size, stride, padding, fill=0.0, dilation=(1, 1)):
    """(n, c, p, q, rows, columns): what each place of the result looks at."""
    padded = np.pad(x, ((0, 0), (0, 0), *((each, each) for each in padding)), constant_values=fill)
    reach = [(each - 1) * apart + 1 for each, apart in zip(size, dilation, strict=True)]
    seen = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def convolved(x, weight, stride, padding, dilation, groups):
    seen = windows(x, weight.shape[2:], stride, padding, 0.0, dilation)
    parts = zip(np.split(seen, groups, axis=1), np.split(weight, groups), strict=True)
    return np.concatenate([np.einsum("ncpqrs,kcrs->nkpq", a, b) for a, b in parts], axis=1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "groups"),
    [(3, 1, 1, 1, 1), ((2, 3), (2, 1), (0, 2), (1, 2), 1), (3, 2, 1, 1, 2), (1, 1, 0, 1, 4)],
)
def test_convolutions_and_their_gradients(kernel, stride, padding, dilation, groups, device):
    layer = nn.Conv2d(4, 8, kernel, stride, padding, dilation, groups).to(device)
    values = rng.normal(size=(2, 4, 7, 8))
    x = ot.asarray(values, dtype="float32", device=device).requires_grad_()
    weight, bias = (each.numpy().astype("float64") for each in (layer.weight, layer.bias))
    sizes = (layer.stride, layer.padding, layer.dilation, groups)
    expected = convolved(values, weight, *sizes) + bias[:, None, None]
    y = layer(x)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-5)
    function = nn.conv2d(x, layer.weight, layer.bias, stride, padding, dilation, groups)
    np.testing.assert_allclose(function.numpy(), expected, rtol=1e-5, atol=1e-5)
    factors = rng.normal(size=y.shape)
    ot.sum(y * ot.asarray(factors, dtype="float32", device=device)).backward()
    of_weight = slope(lambda w: (convolved(values, w, *sizes) * factors).sum(), weight)
    of_input = slope(lambda v: (convolved(v, weight, *sizes) * factors).sum(), values)
    np.testing.assert_allclose(layer.weight.grad.numpy(), of_weight, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(x.grad.numpy(), of_input, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer.bias.grad.numpy(), factors.sum((0, 2, 3)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_pooling_and_its_gradients(device):
    values = rng.normal(size=(2, 3, 6, 7))
    x = ot.asarray(values, dtype="float32", device=device).requires_grad_()
    largest = windows(values, (3, 2), (2, 1), (1, 0), -np.inf).max((4, 5))
    mean = windows(values, (3, 2), (2, 1), (1, 0)).mean((4, 5))
    settings = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    for result in (nn.MaxPool2d(**settings)(x), nn.max_pool2d(x, **settings)):
        np.testing.assert_allclose(result.numpy(), largest, rtol=1e-6)
    for result in (nn.AvgPool2d(**settings)(x), nn.avg_pool2d(x, **settings)):
        np.testing.assert_allclose(result.numpy(), mean, rtol=1e-5, atol=1e-6)
    adaptive = values[:, :, :6, :6].reshape(2, 3, 2, 3, 3, 2).mean((3, 5))
    for result in (nn.AdaptiveAvgPool2d((2, 3))(x[..., :6]), nn.adaptive_avg_pool2d(x[..., :6], (2, 3))):
        np.testing.assert_allclose(result.numpy(), adaptive, rtol=1e-5, atol=1e-6)
    assert nn.MaxPool2d(2)(x).shape == (2, 3, 3, 3) and nn.MaxPool2d(2, ceil_mode=True)(x).shape == (2, 3, 3, 4)
    inside = nn.avg_pool2d(ot.ones((1, 1, 4, 4), device=device), 2, 2, 1, count_include_pad=False)
    np.testing.assert_allclose(inside.numpy(), 1)
    factors = rng.normal(size=largest.shape)
    total = nn.MaxPool2d(**settings)(x) + nn.AvgPool2d(**settings)(x)
    ot.sum(total * ot.asarray(factors, dtype="float32", device=device)).backward()

    def both(v):
        tops = windows(v, (3, 2), (2, 1), (1, 0), -np.inf).max((4, 5))
        return ((tops + windows(v, (3, 2), (2, 1), (1, 0)).mean((4, 5))) * factors).sum()

    np.testing.assert_allclose(x.grad.numpy(), slope(both, values), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_batch_norm_and_flatten(device):
    values = rng.normal(2, 3, size=(4, 3, 5, 2))
    x = ot.asarray(values, dtype="float32", device=device)
    norm = nn.BatchNorm2d(3).to(device)
    mean, variance = values.mean((0, 2, 3), keepdims=True), values.var((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(norm(x).numpy(), (values - mean) / np.sqrt(variance + 1e-5), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.running_mean.numpy(), 0.1 * mean.ravel(), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), 0.9 + 0.1 * variance.ravel() * 40 / 39, rtol=1e-5)
    np.testing.assert_array_equal(nn.Flatten()(x).numpy(), values.astype("float32").reshape(4, 30))
    assert nn.Flatten(0, 1)(x).shape == (12, 5, 2) and nn.Flatten(-2)(x).shape == (4, 3, 10)


def test_texts_are_those_of_pytorch():
    assert repr(nn.Conv2d(3, 8, 3, padding=1)) == "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
    text = "Conv2d(4, 8, kernel_size=(3, 2), stride=(2, 2), dilation=(2, 2), groups=2, bias=False)"
    assert repr(nn.Conv2d(4, 8, (3, 2), 2, dilation=2, groups=2, bias=False)) == text
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    assert repr(nn.AvgPool2d((3, 2), 1)) == "AvgPool2d(kernel_size=(3, 2), stride=1, padding=0)"
    assert repr(nn.AdaptiveAvgPool2d((7, 7))) == "AdaptiveAvgPool2d(output_size=(7, 7))"
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    text = "BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"
    assert repr(nn.BatchNorm2d(8)) == text
    assert "(3): Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1))" in repr(ot.models.lenet())


def digits(rows=64):
    """Images of a pattern of their class and noise."""
    labels = rng.integers(0, 4, rows)
    patterns = rng.normal(size=(4, 1, 28, 28))
    return (patterns[labels] + 0.3 * rng.normal(size=(rows, 1, 28, 28))).astype("float32"), labels


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_a_lenet_trains(precision):
    x, y = digits()
    net = ot.models.lenet(4).initialize(3)
    with ot.precision(precision):
        optimizer = ot.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
        report = ot.Trainer(net, nn.CrossEntropyLoss(), optimizer, epochs=10, batch_size=16).fit(x, y)
        output = net(ot.asarray(x))
        loss = nn.cross_entropy(output, ot.asarray(y))
    assert report.training.error < 0.1
    assert loss.dtype is ot.float32 and float(loss) < 0.5
    assert output.dtype is (ot.bfloat16 if precision == "bf16" else ot.float32)
    assert {each.dtype for each in net.parameters()} == {ot.float32}
    assert net(ot.asarray(x)).dtype is ot.float32  # the block is over


def test_a_trainer_computes_in_the_precision_of_its_block():
    x, y = digits()
    weights = []
    for precision in ("fp32", "fp32", "bf16"):
        net = ot.models.lenet(4).initialize(3)
        sgd = ot.optim.SGD(net.parameters(), lr=0.02)
        with ot.precision(precision):
            ot.Trainer(net, nn.CrossEntropyLoss(), sgd, epochs=2, batch_size=16).fit(x, y)
        weights.append(net[0].weight.numpy())
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).mean() > 0.5
    np.testing.assert_allclose(weights[0], weights[2], atol=1e-2)


def test_precision_rounds_operands_and_ends_with_its_block():
    a, b = (rng.normal(size=(1, 1, 1, 1)).astype("float32") + np.float32(1e-3) for _ in range(2))
    x, w = ot.asarray(a), ot.asarray(b)
    exact = nn.conv2d(x, w).numpy()
    rounded = [each.astype("bfloat16").astype("float32").numpy() for each in (x, w)]
    with ot.precision("bf16"):
        with ot.precision("fp32"):
            np.testing.assert_array_equal(nn.conv2d(x, w).numpy(), exact)
        elsewhere = []
        thread = threading.Thread(target=lambda: elsewhere.append(nn.conv2d(x, w).numpy()))
        thread.start()
        thread.join()
        np.testing.assert_array_equal(elsewhere[0], exact)  # a thread has a precision of its own
        np.testing.assert_allclose(nn.conv2d(x, w).numpy(), rounded[0] * rounded[1], rtol=1e-6)
    np.testing.assert_array_equal(nn.conv2d(x, w).numpy(), exact)
    with pytest.raises(KeyError), ot.precision("bf16"):
        raise KeyError
    np.testing.assert_array_equal(nn.conv2d(x, w).numpy(), exact)
    with pytest.raises(ot.UsageError, match="precision 'bf61' is none of"), ot.precision("bf61"):
        pass


@pytest.mark.once
@pytest.mark.parametrize("name", ["vgg11", "vgg11_bn"])
def test_names_and_shapes_are_those_of_torchvision(name):
    state = getattr(ot.models, name)().state_dict()
    assert [[key, list(value.shape)] for key, value in state.items()] == json.loads(GOLDEN.read_text())["shapes"][name]


# Every depth has the same classifier, which is nearly all of it and recorded as such: features are enough for the others.
@pytest.mark.parametrize("depth", [13, 16, 19])
@pytest.mark.parametrize("end", ["", "_bn"])
def test_features_of_deeper_ones(depth, end, monkeypatch):
    monkeypatch.setattr(nn, "Linear", lambda *_, **__: nn.ReLU())
    net = getattr(ot.models, f"vgg{depth}{end}")()
    recorded = json.loads(GOLDEN.read_text())["shapes"][f"vgg{depth}{end}"]
    expected = [each for each in recorded if each[0].startswith("features")]
    assert [[key, list(value.shape)] for key, value in net.state_dict().items()] == expected


def test_weights_begin_as_asked_for():
    layer = nn.Conv2d(16, 64, 3, initial="kaiming_normal")
    assert layer.weight.numpy().std() == pytest.approx(np.sqrt(2 / (64 * 9)), rel=0.05)
    assert (layer.bias.numpy() == 0).all()
    assert nn.Linear(64, 64, initial="small_normal").weight.numpy().std() == pytest.approx(0.01, rel=0.1)
    assert abs(nn.Conv2d(16, 64, 3).weight.numpy()).max() <= 1 / 12
    drawn = copy.deepcopy(layer).initialize(1).weight.numpy()
    assert (drawn != layer.weight.numpy()).any() and drawn.std() == pytest.approx(np.sqrt(2 / (64 * 9)), rel=0.05)


def test_files_copies_and_pickles(tmp_path):
    x = ot.asarray(digits(4)[0])
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(676, 4))
    net(x)
    nn.save_state(tmp_path / "net.safetensors", net)
    other = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(676, 4))
    other.load_state_dict(nn.read_state_dict(tmp_path / "net.safetensors"))
    for each in (other, copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(each.eval()(x).numpy(), net.eval()(x).numpy())
        assert repr(each) == repr(net)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(3, 8, 0), "kernel_size_0 = 0"),
        (lambda: nn.Conv2d(3, 8, (1, 2, 3)), r"kernel_size is \(1, 2, 3\), expected one number or a pair"),
        (lambda: nn.Conv2d(3, 8, 3, groups=2), "must be a multiple"),
        (lambda: nn.Conv2d(3, 8, 3, padding=-1), "padding_0 = -1"),
        (lambda: nn.Conv2d(3, 8, 3, padding_mode="reflect"), "padding_mode is 'reflect'"),
        (lambda: nn.Conv2d(3, 8, 3, initial="zeros"), "initial is 'zeros'"),
        (lambda: nn.Conv2d(3, 8, 3)(ot.ones((1, 4, 8, 8))), r"expects \(n, 3, height, width\)"),
        (lambda: nn.Conv2d(3, 8, 3)(ot.ones((1, 3, 2, 8))), "conv2d"),
        (lambda: nn.MaxPool2d(2, dilation=2), "only 1 is there"),
        (lambda: nn.MaxPool2d(2, padding=2)(ot.ones((1, 1, 8, 8))), "max_pool2d"),
        (lambda: nn.AvgPool2d(2, divisor_override=3), "Leave divisor_override out"),
        (lambda: nn.AdaptiveAvgPool2d(0), "output_size_0 = 0"),
        (lambda: nn.BatchNorm2d(3)(ot.ones((4, 3))), r"expected \(n, 3, height, width\)"),
        (lambda: nn.Flatten(1, 3)(ot.ones((2, 3))), "axes 1 to 3"),
        (lambda: ot.models.VGG(12), "depth is 12"),
    ],
)
def test_mistakes_are_said(call, message):
    with pytest.raises(ot.UsageError, match=message):
        call()


@pytest.mark.parametrize("device", DEVICES)
def test_augmentation_is_for_training_alone(device):
    images = rng.uniform(1, 2, (40, 3, 6, 5)).astype("float32")
    x = ot.asarray(images, device=device)
    flipping, crop = nn.RandomHorizontalFlip().to(device), nn.RandomCrop((4, 5), padding=1).to(device)
    turned = flipping(x).numpy()
    is_turned = [bool((each == image[:, :, ::-1]).all()) for each, image in zip(turned, images, strict=True)]
    assert 5 < sum(is_turned) < 35
    np.testing.assert_array_equal(turned, [i[:, :, ::-1] if t else i for i, t in zip(images, is_turned, strict=True)])
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for part, image in zip(crop(x).numpy(), padded, strict=True):
        assert any((part == image[:, top : top + 4, left : left + 5]).all() for top in range(5) for left in range(3))
    assert repr(crop) == "RandomCrop(size=(4, 5), padding=1)" and repr(flipping) == "RandomHorizontalFlip(p=0.5)"
    np.testing.assert_array_equal(flipping.eval()(x).numpy(), images)
    np.testing.assert_array_equal(crop.eval()(x).numpy(), images[:, :, 1:5])
    with pytest.raises(ot.UsageError, match="smaller than"):
        nn.RandomCrop(9)(x)


def test_networks_in_files(tmp_path):
    path = tmp_path / "net.safetensors"
    nn.manual_seed(4)
    net = nn.Sequential(
        nn.RandomCrop(8, padding=2),
        nn.RandomHorizontalFlip(0.25),
        nn.Conv2d(1, 4, (3, 2), padding=(1, 0), bias=False),
        nn.BatchNorm2d(4, momentum=None),
        nn.LeakyReLU(0.25),
        nn.MaxPool2d((2, 2), (2, 1), (0, 0), ceil_mode=True),
        nn.AvgPool2d((2, 2), (1, 1), (1, 0)),
        nn.AdaptiveAvgPool2d((2, 3)),
        nn.Sequential(nn.Flatten(), nn.LayerNorm(24), nn.Dropout(0.5), nn.Linear(24, 3)),
    )
    x = ot.asarray(rng.normal(size=(6, 1, 8, 8)).astype("float32"))
    net(x).numpy()
    nn.save_model(path, net, {"made by": "a test"})
    again = nn.load_model(path)
    assert repr(again) == repr(net) and not again.training
    np.testing.assert_array_equal(again(x).numpy(), net.eval()(x).numpy())
    for mine, theirs in zip(net.named_buffers(), again.named_buffers(), strict=True):
        np.testing.assert_array_equal(mine[1].numpy(), theirs[1].numpy())
    words = nn.Sequential(nn.Embedding(5, 3, padding_idx=1), nn.Flatten(), nn.Linear(6, 2))
    nn.save_model(path, words)
    rows = ot.asarray([[0, 1], [4, 2]])
    np.testing.assert_array_equal(nn.load_model(path)(rows).numpy(), words(rows).numpy())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ot.DataError, match=r"net\.safetensors"):
        nn.load_model(path)


class Own(nn.Linear):
    """A layer that computes something else than the one it is derived from."""

    def forward(self, x):
        return super().forward(x) * 2


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Linear(2, 2), "expects a Sequential"),
        (nn.Sequential(Own(2, 2)), r"layer 0 \(Module\)"),
        (nn.Sequential({"first": nn.Linear(2, 2)}), "layer first"),
        (nn.Sequential(nn.ModuleList([nn.ReLU()])), r"layer 0 \(Module\)"),
    ],
)
def test_what_is_no_model_file(net, message, tmp_path):
    with pytest.raises(ot.UsageError, match=message):
        nn.save_model(tmp_path / "net.safetensors", net)
    assert not (tmp_path / "net.safetensors").exists()


def test_padding_by_name():
    x = ot.ones((1, 2, 5, 6))
    assert nn.Conv2d(2, 3, (3, 5), padding="same", dilation=(2, 1))(x).shape == (1, 3, 5, 6)
    assert nn.Conv2d(2, 3, 3, padding="valid")(x).shape == (1, 3, 3, 4)
