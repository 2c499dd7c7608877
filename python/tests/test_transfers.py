# SPDX-License-Identifier: MIT
"""Copies, streams and profiles: counts that cannot be wrong, values that must be right."""

import gc
import json

import numpy as np
import pytest

import overtake as ot


def usable_devices():
    return [each["id"] for each in ot.devices() if each["usable"]]


@pytest.fixture(params=["cpu", "opencl:0", "cuda:0"])
def device(request):
    if request.param not in usable_devices():
        pytest.skip(f"{request.param} cannot be used here")
    return request.param


def test_stats_count_what_is_copied(device):
    x = ot.asarray(np.arange(1000, dtype="float32"), device=device)
    ot.reset_transfer_stats()
    ot.eval(x + 1)
    assert ot.transfer_stats().devices[device] == ot.Transfers()
    y = ot.asarray(np.zeros((10, 25), "float64"), device=device)
    np.asarray(x)
    np.asarray(y[0])
    stats = ot.transfer_stats()
    of = stats.devices[device]
    assert (of.uploads, of.upload_bytes) == (1, 2000)
    assert of.downloads == 2
    assert of.download_bytes == 4000 + 200
    assert of.upload_seconds >= 0
    crossed = 0 if device == "cpu" else 2000
    assert stats.upload_bytes == crossed


def test_profile_lists_launches_and_copies(device, tmp_path):
    x = ot.asarray(np.ones((64, 32), "float32"), device=device)
    ot.eval(ot.matmul(x, ot.matrix_transpose(x)))
    with ot.profile() as p:
        ot.eval(ot.matmul(x, ot.matrix_transpose(x)))
        np.asarray(x)
    launches = [each for each in p.entries if each.kind == "launch"]
    assert launches
    assert all(each.device == device for each in p.entries)
    assert sum(each.flops for each in launches) == 2 * 64 * 64 * 32
    assert sum(each.bytes_written for each in launches) >= 64 * 64 * 4
    downloads = [each for each in p.entries if each.kind == "download"]
    assert [each.bytes_read for each in downloads] == [64 * 32 * 4]
    before = len(p.entries)
    ot.eval(x + 1)
    assert len(p.entries) == before, "it listens in its block alone"
    p.write_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert [span["dur"] * 1e-6 for span in spans] == pytest.approx([each.seconds for each in p.entries])
    assert all(span["ts"] >= 0 for span in spans)
    text = str(p)
    assert "1 launch in" in text or "launches in" in text
    assert device in text
    assert "download" in text


def test_profile_before_it_is_entered():
    with pytest.raises(RuntimeError, match="nothing was profiled"):
        str(ot.profile())


def test_uploads_and_downloads_side_by_side(device):
    rng = np.random.default_rng(5)
    buffers = [ot.pinned_empty((300, 100), "float32", device) for _ in range(2)]
    results = [ot.pinned_empty((300, 100), "float32", device) for _ in range(2)]
    uploads = ot.Stream(device, "upload")
    events, free, wanted = [None, None], [None, None], [None, None]
    for step in range(12):
        slot = step % 2
        if events[slot] is not None:
            events[slot].synchronize()
            np.testing.assert_array_equal(results[slot], wanted[slot])
            free[slot].synchronize()
        buffers[slot][:] = rng.random((300, 100), dtype="float32")
        wanted[slot] = buffers[slot] * np.float32(2) + np.float32(step)
        x = ot.upload_async(buffers[slot])
        free[slot] = uploads.record()
        events[slot] = ot.download_async(x * 2 + step, results[slot])
    for slot in range(2):
        events[slot].synchronize()
        assert events[slot].is_done()
        np.testing.assert_array_equal(results[slot], wanted[slot])


def test_a_part_of_pinned_memory(device):
    memory = ot.pinned_empty((10, 4), "int32", device)
    memory[:] = np.arange(40).reshape(10, 4)
    part = ot.upload_async(memory[3:5])
    np.testing.assert_array_equal(np.asarray(part), [[12, 13, 14, 15], [16, 17, 18, 19]])
    ot.Stream(device, "upload").synchronize()
    with pytest.raises(ValueError, match="row-major"):
        ot.upload_async(memory[:, 1:3])
    with pytest.raises(ValueError, match="pinned_empty"):
        ot.upload_async(np.zeros(3, "float32"))
    with pytest.raises(ValueError, match="the array"):
        ot.download_async(part, memory)


def test_pinned_memory_lives_as_long_as_a_view_of_it(device):
    view = ot.pinned_empty(1000, "float64", device)[10:20]
    gc.collect()
    view[:] = 7
    assert view.sum() == 70


def test_events_have_times(device):
    work = ot.Stream(device)
    first = work.record()
    x = ot.asarray(np.ones((500, 500), "float32"), device=device)
    ot.eval(ot.matmul(x, x))
    second = work.record()
    assert second.seconds_since(first) > 0
    assert first.is_done()
    work.wait(second)
    work.synchronize()
    with pytest.raises(ValueError, match="kind is"):
        ot.Stream(device, "sideways")


def test_events_of_two_devices_have_no_time_between_them(device):
    if device == "cpu":
        pytest.skip("one device")
    with pytest.raises(ot.UsageError, match="different devices"):
        ot.Stream(device).record().seconds_since(ot.Stream("cpu").record())
