# SPDX-License-Identifier: MIT
"""The Trainer: modules and losses of one's own in compiled steps, stops, errors, what it reports."""

import math
import os
import signal
import threading

import numpy as np
import pytest
from networks import DEVICES, disc, small

import overtake as ot
from overtake import nn, optim


class Branching(nn.Module):
    """What it computes depends on its mode and on a setting of the host."""

    def __init__(self, deep=True):
        self.first, self.second, self.last = nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 2)
        self.deep, self.traced = deep, 0
        self.register_buffer("steps", ot.zeros((1,)))

    def forward(self, x):
        self.traced += 1
        hidden = ot.relu(self.first(x))
        if self.deep:
            hidden = hidden + ot.relu(self.second(hidden))
        if self.training:
            self.steps = self.steps + 1
        return self.last(hidden)


@pytest.mark.parametrize("device", DEVICES)
def test_compiled_steps_are_the_loop_by_hand(device):
    """One batch of all rows, in their order: both ways take the same steps."""
    x, y = disc(60)
    ours, by_hand = small(device), small(device)
    report = ot.Trainer(
        ours, nn.CrossEntropyLoss(), optim.SGD(ours.parameters(), lr=0.3), epochs=20, batch_size=60, shuffle=False
    ).fit(x, y)
    criterion, optimizer = nn.CrossEntropyLoss(), optim.SGD(by_hand.parameters(), lr=0.3)
    inputs, targets = ot.asarray(x, device=device), ot.asarray(y, device=device)
    losses = []
    for _ in range(20):
        loss = criterion(by_hand(inputs), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss))
    np.testing.assert_allclose([each.train_loss for each in report.epochs], losses, rtol=1e-5)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), by_hand.state_dict()[name].numpy(), rtol=1e-4, atol=1e-6)
    assert report.stop_reason == "finished" and report.steps == 20 and report.device == device
    assert report.parameters == ours.parameter_count()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("deep", [True, False])
def test_a_module_of_ones_own_learns_in_a_compiled_step(deep, device):
    x, y = disc(400)
    nn.manual_seed(1)
    net = Branching(deep).to(device)
    trainer = ot.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.02), epochs=30)
    report = trainer.fit(x, y)
    assert report.training.error < 0.05
    assert net.traced < 20  # of 120 steps: the rest ran without Python
    assert float(net.steps) == 120
    assert trainer.evaluate(x, y) == pytest.approx(report.training)


@pytest.mark.parametrize("device", DEVICES)
def test_losses_of_ones_own(device):
    x, y = disc(100)
    targets = np.stack([y, 1 - y], axis=1).astype("float64")

    def trained(loss):
        net = small(device)
        options = {"epochs": 5, "batch_size": 30, "seed": 3}
        return ot.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1), **options).fit(x, targets)

    expected = trained(nn.MSELoss()).epochs[-1].train_loss
    of_rows = trained(lambda output, target: ot.mean((output - target) ** 2, axis=1))
    of_batch = trained(nn.Loss(lambda output, target: ot.mean((output - target) ** 2), "mine"))
    assert of_rows.epochs[-1].train_loss == pytest.approx(expected, rel=1e-5)
    assert of_batch.epochs[-1].train_loss == pytest.approx(expected, rel=1e-5)
    net = small(device)
    counted = nn.Loss(lambda o, t: nn.cross_entropy(o, t, reduction="none"), error_rate="class_error")
    report = ot.Trainer(net, counted, optim.Adam(net.parameters(), lr=0.05), epochs=40).fit(x, y)
    assert report.training.error < 0.2


def test_weights_of_classes_count():
    x, y = disc(200)
    net = small()
    loss = nn.CrossEntropyLoss(weight=[1.0, 50.0])
    ot.Trainer(net, loss, optim.Adam(net.parameters(), lr=0.05), epochs=20).fit(x, y)
    told = ot.argmax(nn.predict(net, x), axis=1).numpy()
    assert (told[y == 1] == 1).all()


def test_validation_ends_training_early_with_the_best_weights():
    x, y = disc(300)
    net = small()
    seen = []
    trainer = ot.Trainer(
        net,
        nn.CrossEntropyLoss(),
        optim.SGD(net.parameters(), lr=1.0),
        epochs=200,
        validation_data=disc(100, seed=9),
        patience=3,
        min_delta=0.01,
        on_epoch=seen.append,
    )
    report = trainer.fit(x, y)
    assert report.stop_reason == "early_stopped"
    assert report.weights_epoch == report.best_epoch <= report.epochs_run - 3
    assert [each.epoch for each in seen] == [each.epoch for each in report.epochs]
    assert trainer.evaluate(*disc(100, seed=9)).loss == pytest.approx(report.validation.loss, rel=1e-5)
    assert not math.isnan(seen[0].validation_error)
    plain = ot.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), epochs=1).fit(x, x)
    assert math.isnan(plain.epochs[0].train_error) and math.isnan(plain.validation.loss)


def test_schedules_and_checkpoints(tmp_path):
    x, y = disc(50)

    def trained(epochs, **options):
        net = small()
        optimizer = optim.Adam(net.parameters(), lr=0.1)
        schedule = optim.Schedule.exponential_lr(0.5)
        trainer = ot.Trainer(net, nn.CrossEntropyLoss(), optimizer, epochs=epochs, schedule=schedule, **options)
        return net, trainer.fit(x, y)

    path = str(tmp_path / "check")
    whole, report = trained(4)
    assert [each.learning_rate for each in report.epochs] == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    trained(2, checkpoint_path=path)
    again, resumed = trained(4, checkpoint_path=path, resume=True)
    assert resumed.resumed_epoch == 2
    np.testing.assert_array_equal(whole[0].weight.numpy(), again[0].weight.numpy())


def test_an_observer_may_set_the_rate():
    net = small()
    optimizer = optim.SGD(net.parameters(), lr=0.4)

    def halve(record):
        optimizer.lr /= 2

    report = ot.Trainer(net, nn.CrossEntropyLoss(), optimizer, epochs=3, on_epoch=halve).fit(*disc(50))
    assert [each.learning_rate for each in report.epochs] == pytest.approx([0.4, 0.2, 0.1])


def test_errors_of_ones_own_functions_come_back():
    x, y = disc(20)

    class Failing(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            raise KeyError("in forward")

    def fit(net, loss=None, **options):
        return ot.Trainer(net, loss or nn.CrossEntropyLoss(), optim.SGD(net.parameters()), epochs=3, **options).fit(
            x, y
        )

    def raising(*_):
        raise KeyError("in a function")

    with pytest.raises(KeyError, match="in forward"):
        fit(Failing())
    with pytest.raises(KeyError, match="in a function"):
        fit(small(), nn.Loss(raising, error_rate="class_error"))
    with pytest.raises(KeyError, match="in a function"):
        fit(small(), on_epoch=raising)
    with pytest.raises(ot.UsageError, match="the loss mine returned float"):
        fit(small(), nn.Loss(lambda o, t: 1.0, "mine"))
    errors = []

    def elsewhere():
        try:
            fit(Failing())
        except KeyError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_ctrl_c_stops_and_leaves_a_trained_model():
    x, y = disc(200)
    net = small()

    def on_epoch(record):
        if record.epoch == 3:
            os.kill(os.getpid(), signal.SIGINT)

    trainer = ot.Trainer(
        net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), epochs=10**6, on_epoch=on_epoch
    )
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(x, y)
    assert trainer.report.stop_reason == "interrupted"
    assert 3 <= trainer.report.epochs_run < 10**6
    assert net.training


def test_divergence_is_reported():
    x, y = disc(100)
    net = small()
    report = ot.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=1e10), epochs=50).fit(
        x, np.stack([y, y], axis=1)
    )
    assert report.stop_reason == "diverged" and report.first_bad_step > 0 and report.message
    assert np.isfinite(net[0].weight.numpy()).all()


@pytest.mark.parametrize(
    ("options", "data", "error", "message"),
    [
        ({"epochs": -1}, disc(5), ot.UsageError, "epochs -1"),
        ({"epoch": 3}, disc(5), ot.UsageError, "unknown setting 'epoch'"),
        ({"min_delta": math.nan}, disc(5), ot.UsageError, "min_delta is nan"),
        ({}, (np.ones((0, 2)), np.ones(0, dtype=int)), ot.UsageError, "no rows"),
        ({}, (np.ones((3, 2)), np.array([0, 1])), ot.UsageError, "3 rows of inputs but targets"),
        ({}, (np.ones((3, 2)), np.array([0, 1, 7])), ot.DataError, "label of row 2"),
        ({}, (np.full((3, 2), np.nan), np.array([0, 1, 1])), ot.DataError, "NaN"),
        ({}, (np.ones((3, 2)), np.array([0.5, 1, 1])), ot.UsageError, "int32 targets"),
        ({}, (np.ones((3, 5)), np.array([0, 1, 1])), ot.UsageError, r"expects \(rows, 2\)"),
    ],
)
def test_bad_input_is_one_clear_error(options, data, error, message):
    net = small()
    with pytest.raises(error, match=message):
        ot.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), **options).fit(*data)


def test_wrong_parts_are_refused():
    net = small()
    good = optim.SGD(net.parameters())
    for arguments, message in (
        ((3, nn.MSELoss(), good), "the model is int"),
        ((net, 3, good), "the loss is int"),
        ((net, nn.MSELoss(), 3), "the optimizer is int"),
    ):
        with pytest.raises(ot.UsageError, match=message):
            ot.Trainer(*arguments)
    with pytest.raises(ot.UsageError, match="takes no LBFGS"):
        ot.Trainer(net, nn.CrossEntropyLoss(), optim.LBFGS(net.parameters())).fit(*disc(5))
    with pytest.raises(ot.UsageError, match="not one of the model's"):
        ot.Trainer(small(), nn.CrossEntropyLoss(), good).fit(*disc(5))
    with pytest.raises(ot.UsageError, match="without weights"):
        ot.Trainer(net, nn.MSELoss(reduction="sum"), good).fit(*disc(5))


def test_a_step_may_be_computed_in_parts():
    x, y = disc(90)
    losses = []
    for accumulate in (1, 4):
        net = small()
        sgd = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
        trainer = ot.Trainer(net, criterion, sgd, epochs=5, batch_size=40, accumulate=accumulate, clip_grad_norm=0.5)
        losses.append([each.train_loss for each in trainer.fit(x, y).epochs])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_smoothing_and_clipping_reach_the_step():
    x, y = disc(60)
    found = set()
    for smoothing, clip in ((0.0, 0), (0.2, 0), (0.0, 0.01)):
        net = small()
        criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)
        trainer = ot.Trainer(net, criterion, optim.SGD(net.parameters(), lr=0.5), epochs=2, clip_grad_norm=clip)
        found.add(trainer.fit(x, y).epochs[-1].train_loss)
    assert len(found) == 3


def test_precision_of_a_trainer(tmp_path):
    x, y = disc(200)

    def trainer(**options):
        net = small()
        sgd = optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
        path = str(tmp_path / "net.ckpt")
        return net, ot.Trainer(net, nn.CrossEntropyLoss(), sgd, epochs=30, checkpoint_path=path, **options)

    with pytest.raises(ot.UsageError, match="precision 'bf15'"):
        trainer(precision="bf15")[1].fit(x, y)
    with pytest.raises(ot.DeviceError, match="cpu has no units for tf32"):
        trainer(precision="tf32")[1].fit(x, y)
    exact, fit = trainer()
    fit.fit(x, y)
    with ot.precision("bf16"), pytest.raises(ot.DataError, match="precision"):
        trainer(resume=True)[1].fit(x, y)
    try:
        net, fit = trainer(precision="bf16")
        report = fit.fit(x, y)
    except ot.DeviceError:
        pytest.skip("no units for bf16")
    assert report.training.error < 0.15 and fit.evaluate(x, y).loss == report.training.loss
    assert {each.dtype for each in net.parameters()} == {ot.float32}
    assert not np.array_equal(net[0].weight.numpy(), exact[0].weight.numpy())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("wrong", [7, -8, 2.5])
def test_numbers_of_rows_that_a_table_does_not_have_are_named(device, wrong):
    x, y = np.zeros((6, 2), np.float32), np.zeros(6, np.int32)
    x[4, 1] = wrong
    net = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2)).to(device)
    with pytest.raises(ot.DataError, match=rf"row 4, column 1 .* is {wrong}, expected .* 0 to 6"):
        ot.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), epochs=1).fit(x, y)
