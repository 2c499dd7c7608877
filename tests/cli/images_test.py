# SPDX-License-Identifier: MIT
"""overtake train --model and predict with its models: checkpoints, memory, the report, the plan, and flags that do not apply."""
import json
import random
import resource
import signal
import struct
import time
import unittest
import zlib

from support import IRIS, CliTest, main


def idx(numbers, *extents):
    return struct.pack(f">HBB{len(extents)}I", 0, 8, len(extents), *extents) + bytes(numbers)


class Images(CliTest):
    """Forty images of 28 x 28 in two classes: noise, brighter in the upper or in the lower half."""

    def setUp(self):
        super().setUp()
        draw = random.Random(3)
        self.count = 40
        labels = [draw.randrange(2) for _ in range(self.count)]
        pixels = [draw.randrange(100) + (100 if (row < 14) == bool(label) else 0)
                  for label in labels for row in range(28) for _ in range(28)]
        self.write("images", idx(pixels, self.count, 28, 28))
        self.write("labels", idx(labels, self.count))

    def arguments(self, *flags):
        return ("train", "images", "--labels", "labels", "--model", "lenet", "--device", "cpu", "--threads", "2", *flags)

    def train(self, *flags, expect=0):
        return self.overtake(*self.arguments(*flags), expect=expect)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def json(self, name="t.json"):
        return json.loads((self.folder / name).read_text())


class Checkpoints(Images):
    FLAGS = ("--batch-size", "12", "--optimizer", "adam", "--validation", "0.1", "--seed", "5", "--epochs", "300")

    def test_a_killed_or_interrupted_training_ends_with_the_same_bits(self):
        self.train(*self.FLAGS, "--save", "whole")
        resumable = (*self.FLAGS, "--checkpoint", "c", "--checkpoint-every", "7", "--resume", "--save", "m", "--json", "t.json")
        codes = []
        for kind in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
            process = self.start(*self.arguments(*resumable))
            before = self.read("c") if (self.folder / "c").exists() else b""
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if (self.folder / "c").exists() and self.read("c") != before:
                    time.sleep(0.03)
                    process.send_signal(kind)
                    break
                time.sleep(0.002)
            process.communicate()
            codes.append(process.returncode)
        self.assertIn(-signal.SIGKILL, codes)
        out, _ = self.train(*resumable)
        self.assertIn("resumed: c after epoch", out)
        self.assertGreater(self.json()["resumed_epochs"], 0)
        self.assertEqual(self.read("m"), self.read("whole"))

    def test_ctrl_c_is_answered_at_once_and_inside_of_a_batch(self):
        # A batch of a large network takes seconds.
        flags = ("train", "images", "--labels", "labels", "--model", "vgg11", "--device", "cpu", "--threads", "2", "--image-size", "96",
                 "--save", "m", "--checkpoint", "c", "--report", "r.html", "--json", "t.json")
        process = self.start(*flags)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if line.startswith("device: "):
                break
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        line = process.stderr.readline()
        self.assertEqual(line, "interrupted: ending with the last whole batch; a second Ctrl-C ends at once and saves nothing\n")
        _, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("note: interrupted before the first batch ended, so nothing is saved\n", err)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["images", "labels", "t.json"])
        self.assertEqual((self.json()["epochs"], self.json()["saved"], self.json()["interrupted"]), ([], None, True))

    def test_a_full_disk_costs_checkpoints_and_not_the_training(self):
        self.train("--epochs", "2", "--seed", "1", "--checkpoint", "c")
        last = self.read("c")
        whole = (*self.arguments("--epochs", "5", "--seed", "1", "--checkpoint", "c", "--resume"), "--save", "m", "--json", "t.json")
        # The file grows with each epoch, beyond what the limit lets be written.
        process = self.start(*whole, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(last) + 8, len(last) + 8)))
        out, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 3, out + err)
        self.assertEqual(err.count("note: no checkpoint: "), 1)
        self.assertIn("error: the last checkpoint was not written: ", err)
        self.assertIn("finished: 5 epochs", out)
        self.assertEqual(self.read("c"), last)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["c", "images", "labels", "m", "t.json"])
        self.assertIn("c", self.json()["checkpoint_failure"])
        model = self.read("m")
        self.overtake(*whole)
        self.assertEqual(self.read("m"), model)
        self.assertIsNone(self.json()["checkpoint_failure"])

    def test_a_checkpoint_of_another_training_is_refused(self):
        self.train("--epochs", "1", "--checkpoint", "c")
        self.fails(3, *self.arguments("--epochs", "2", "--lr", "0.5", "--checkpoint", "c", "--resume"),
                   says=["c: this checkpoint belongs to another training", "learning rate was 0.01, is now 0.5"])
        self.fails(2, *self.arguments("--resume"), says=["resume"])
        out, _ = self.train("--epochs", "2", "--checkpoint", "none-there", "--resume")
        self.assertIn("resumed: no", out)


class Memory(Images):
    def test_a_limit_makes_parts_and_says_so(self):
        self.train("--epochs", "2", "--batch-size", "36", "--json", "whole.json")
        most = self.json("whole.json")["plan_bytes"] * 3 // 4
        out, _ = self.train("--epochs", "2", "--batch-size", "36", "--memory-limit", most, "--json", "t.json")
        parts = self.json()
        self.assertIn(f"memory: a step runs in {parts['parts']} parts of at most", out)
        self.assertGreater(parts["parts"], 1)
        self.assertLess(parts["plan_bytes"], most)
        for whole, part in zip(self.json("whole.json")["epochs"], parts["epochs"]):
            self.assertAlmostEqual(whole["train_loss"], part["train_loss"], delta=1e-4 * whole["train_loss"])
        self.fails(4, *self.arguments("--memory-limit", "700KiB"), says=[
            "training lenet does not fit into the memory of cpu: 40 images take ", "one alone ", "(limit 700 KiB: about 3 images fit)"])
        self.train("--epochs", "1", "--memory-limit", "700KiB", "--batch-size", "3")
        self.fails(4, *self.arguments("--memory-limit", "100KiB", "--plan"), says=["limit 100 KiB: not one image fits"])

    def test_accumulate(self):
        self.train("--epochs", "1", "--batch-size", "8", "--accumulate", "4", "--json", "t.json")
        self.assertEqual(self.json()["parts"], 4)
        self.fails(2, *self.arguments("--batch-size", "8", "--accumulate", "9"), says=["--accumulate 9"])


class Pages(Images):
    def test_the_report_is_one_file_with_curves_and_pictures(self):
        self.train("--epochs", "3", "--validation", "0.3", "--report", "r.html")
        page = (self.folder / "r.html").read_text()
        self.assertEqual(page.count("<img src=\"data:image/png;base64,iVBORw0KGgo"), 12)
        for text in ("of validation images wrong after 3 epochs", "Answers for some validation images", "Images a second"):
            self.assertIn(text, page)
        self.assertNotRegex(page, r"(src|href)=.http")
        self.fails(2, "train", "images", "--target", "x", "--report", "r2.html", says=["--report"])

    def test_the_plan_runs_nothing(self):
        out, _ = self.train("--plan", "--json", "p.json", "--save", "m")
        for text in ("Conv2d", "61,", "convolutions on cpu: ", "memory of cpu: ", "nothing was run"):
            self.assertIn(text, out)
        plan = self.json("p.json")
        self.assertEqual(plan["schema"], "overtake.plan_images/1")
        self.assertEqual(plan["layers"][0]["output"], [1, 6, 28, 28])
        self.assertEqual(plan["batch_size"], self.count)
        self.assertFalse((self.folder / "m").exists())
        start = time.monotonic()
        self.overtake("train", "images", "--labels", "labels", "--model", "vgg16", "--device", "cpu", "--plan")
        self.assertLess(time.monotonic() - start, 60)


class Folders(CliTest):
    """A folder a class, of grey images: one class is dark, the other bright."""

    def setUp(self):
        super().setUp()
        draw = random.Random(4)
        for name, dark in (("cat", 0), ("dog", 130)):
            for i in range(4):
                self.picture(f"photos/{name}/{i}.png", bytes(dark + draw.randrange(100) for _ in range(28 * 28)))

    def picture(self, name, pixels, side=28):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        rows = b"".join(b"\0" + pixels[row * side:(row + 1) * side] for row in range(side))
        self.put(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
                 chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

    def put(self, name, content=b""):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        self.write(name, content)

    def train(self, *flags, expect=0):
        return self.overtake("train", "photos", "--model", "lenet", "--device", "cpu", "--threads", "2", "--epochs", "1", *flags,
                             expect=expect)

    def test_files_that_are_passed_over_are_noted(self):
        _, err = self.train("--save", "m")
        self.assertNotIn("passed over", err)
        for name in ("photos/cat/x.webp", "photos/dog/deep/y.gif", "photos/dog/Thumbs.db", "photos/dog/.z.webp", "photos/1.jpg"):
            self.put(name)
        _, err = self.train()
        self.assertIn("note: passed over 2 files that are neither JPEG nor PNG, for example photos/cat/x.webp; convert them\n", err)
        self.assertIn("note: passed over an image beside the folders of the classes, photos/1.jpg: it is in no class\n", err)
        _, err = self.overtake("predict", "m", "photos/cat")
        self.assertIn("note: passed over a file that is neither JPEG nor PNG, photos/cat/x.webp; convert it\n", err)


    def test_both_parts_of_the_images_are_told(self):
        for i in range(4, 12):
            self.put(f"photos/cat/{i}.png", (self.folder / "photos/cat/0.png").read_bytes())
        self.put("photos/emu/1.png", (self.folder / "photos/cat/0.png").read_bytes())
        out, err = self.train("--validation", "0.25", "--json", "t.json")
        self.assertIn("images: 13 train, 4 validation, 3 classes\n", out)
        self.assertIn("note: 1 of 3 classes has too few images to give one to validation, for example \"emu\"\n", err)
        report = json.loads((self.folder / "t.json").read_text())
        self.assertEqual([report[key] for key in ("train_images", "validation_images", "classes")], [13, 4, 3])
        out, err = self.train("--plan", "--json", "p.json")
        self.assertIn("images: 17 train, 0 validation, 3 classes\n", out)
        self.assertNotIn("too few images", err)
        self.assertEqual(json.loads((self.folder / "p.json").read_text())["train_images"], 17)


    def test_predict_takes_files_and_folders_together(self):
        self.train("--save", "m")
        self.picture("more/deep/a b.png", bytes(28 * 28))
        self.picture("one.png", bytes(28 * 28))
        self.put("more/x.gif")
        out, err = self.overtake("predict", "m", "one.png", "photos/dog", "more")
        self.assertEqual([line.split(",")[0] for line in out.splitlines()[1:]],
                         ["one.png", *(f"photos/dog/{i}.png" for i in range(4)), "more/deep/a b.png"])
        self.assertIn("more/x.gif", err)
        self.put("empty/notes.txt")
        self.fails(3, "predict", "m", "one.png", "empty", says=["empty holds no images, but 1 other file"])
        self.fails(3, "predict", "m", "empty", says=["empty holds no images, but 1 other file"])
        self.fails(2, "predict", "m", "photos", "--top", "0", says=["--top 0: expected 1 or more"])
        out, _ = self.overtake("predict", "m", "more", "--out", "p.csv")  # its folders are no classes
        self.assertNotIn("accuracy", out)

    def test_predict_answers_for_images_beside_folders(self):
        self.train("--save", "m")
        self.picture("new/1.png", bytes(28 * 28))
        self.picture("new/holiday/2.png", bytes(28 * 28))
        out, err = self.overtake("predict", "m", "new")
        self.assertEqual([line.split(",")[0] for line in out.splitlines()[1:]], ["new/1.png", "new/holiday/2.png"])
        self.assertNotIn("passed over", err)
        self.put("a.gif", b"GIF89a")
        self.fails(3, "predict", "m", "a.gif", says=["a.gif is no image (.jpg, .jpeg, .png)"])
        (self.folder / "gone.png").symlink_to("nothing.png")
        _, err = self.overtake("predict", "m", "gone.png", expect=3)
        self.assertNotIn("Did you mean gone.png", err)

    def test_predict_passes_broken_images_over_where_asked(self):
        self.train("--save", "m")
        self.put("photos/dog/1.png", (self.folder / "photos/dog/1.png").read_bytes()[:60])
        self.fails(3, "predict", "m", "photos", says=["photos/dog/1.png"])
        out, err = self.overtake("predict", "m", "photos", "--on-broken", "skip", "--out", "p.csv")
        self.assertIn("note: skipped: ", err)
        self.assertIn("photos/dog/1.png", err)
        self.assertIn("wrote 7 predictions to p.csv\n", out)
        self.assertRegex(out, r"accuracy: .* \(\d of 7\)")
        table = (self.folder / "p.csv").read_text()
        self.assertEqual(len(table.splitlines()), 8)
        self.assertNotIn("photos/dog/1.png", table)
        _, err = self.overtake("predict", "m", "photos/dog/1.png", "--on-broken", "skip", expect=3)
        self.assertIn("error: no image could be read", err)
        self.fails(2, "predict", "m", "photos", "--on-broken", "ignore", says=["--on-broken", "refuse", "skip"])
        self.train("--on-broken", "skip", "--report", "r.html", "--validation", "0.5")


class Flags(Images):
    def test_flags_that_say_nothing_are_refused_by_name(self):
        for flags in (("--hidden", "3"), ("--target", "x"), ("--delimiter", ";"), ("--header",), ("--patience", "2"),
                      ("--host-memory-limit", "1GiB"), ("--n-estimators", "3"), ("--estimator", "network"), ("--describe",),
                      ("--task", "regression"), ("--on", "h100", "--plan"), ("--momentum", "0.5", "--optimizer", "adam"),
                      ("--checkpoint-every", "2"), ("--no-augment",)):
            with self.subTest(flags=flags):
                self.fails(2, *self.arguments(*flags), says=[flags[0]])
        for flag, value in (("--batch-size", "0"), ("--epochs", "0"), ("--lr", "-1"), ("--momentum", "2"), ("--image-size", "32")):
            with self.subTest(flag=flag):
                self.fails(2, *self.arguments(flag, value), says=[flag])
        self.train("--epochs", "1", "--save", "m")
        for flags in (("--proba",), ("--unseen", "error"), ("--plan",), ("--host-memory-limit", "1GiB"), ("--delimiter", ";")):
            with self.subTest(flags=flags):
                self.fails(2, "predict", "m", "images", *flags, says=[flags[0]])

    def test_a_wrong_part_to_freeze_names_all_that_are_there(self):
        self.fails(2, *self.arguments("--freeze", "features"), says=["--freeze 'features'", "parts are 0, 3, 7, 9, 11."])
        self.fails(2, "train", "images", "--labels", "labels", "--model", "vgg11", "--freeze", "feature", "--device", "cpu",
                   says=["parts are features, features.0, features.3, ", "classifier, classifier.0, classifier.3, classifier.6."])

    def test_classes_are_counted(self):
        self.train("--epochs", "1", "--classes", "2")
        self.fails(3, *self.arguments("--classes", "5"), says=["--classes 5: the images are of 2 classes", "They are 0, 1"])

    def test_weights_for_other_classes(self):
        self.train("--epochs", "1", "--save", "two.safetensors")
        self.write("labels", idx([i % 3 for i in range(self.count)], self.count))
        _, err = self.train("--epochs", "1", "--weights", "two.safetensors", "--classes", "3")
        self.assertIn("note: 11 begins anew, for 3 classes: two.safetensors has it for others\n", err)
        content = self.read("two.safetensors")
        size = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:8 + size])
        header["__metadata__"].pop("overtake.xxh3")
        header["0.weight"]["dtype"] = "I32"
        text = json.dumps(header).encode()
        self.write("whole.safetensors", struct.pack("<Q", len(text)) + text + content[8 + size:])
        self.fails(3, *self.arguments("--weights", "whole.safetensors"), says=['"0.weight" holds whole numbers'])

    def test_predictions_are_a_table(self):
        self.train("--epochs", "1", "--save", "m")
        out, _ = self.overtake("predict", "m", "images", "--top", "2")
        lines = out.splitlines()
        self.assertEqual(lines[0], "image,class_1,probability_1,class_2,probability_2")
        self.assertEqual(len(lines), 1 + self.count)
        self.assertTrue(lines[1].startswith('"images, image 0 (counted from 0)",'), lines[1])
        name, first, second = lines[1].rsplit(",", 4)[0], *map(float, lines[1].split(",")[-3::2])
        self.assertAlmostEqual(first + second, 1, delta=2e-6)

    def test_labels_of_idx_images_give_an_accuracy(self):
        self.train("--epochs", "1", "--save", "m")
        answers, _ = self.overtake("predict", "m", "images", "--labels", "labels")
        labels = self.read("labels")[8:]
        right = sum(line.rsplit(",", 2)[1] == str(label) for line, label in zip(answers.splitlines()[1:], labels))
        out, _ = self.overtake("predict", "m", "images", "--labels", "labels", "--out", "p.csv")
        self.assertIn(f"({right} of {self.count})", out)
        out, _ = self.overtake("predict", "m", "images", "--out", "p.csv")
        self.assertNotIn("accuracy", out)
        self.write("few", idx([0, 1], 2))
        self.fails(3, "predict", "m", "images", "--labels", "few", says=["2 labels in few, but 40 images"])
        self.write("one.png", b"")
        self.fails(2, "predict", "m", "one.png", "--labels", "labels", says=["labels belong to one IDX file"])
        self.fails(2, "predict", "m", "images", "--labels", "labels", "--out", "labels", says=["would destroy"])
        self.overtake("train", IRIS, "--target", "species", "--epochs", "1", "--device", "cpu", "--save", "t")
        for flag, value in (("--labels", "labels"), ("--on-broken", "skip"), ("--top", "2"), ("--precision", "bf16")):
            self.fails(2, "predict", "t", IRIS, flag, value, says=["is a model for tables", flag])

    def test_no_output_destroys_an_input(self):
        self.train("--epochs", "1", "--save", "m")
        (self.folder / "photos").mkdir()
        self.write("photos/1.png", b"not read before outputs are looked at")
        for flag in ("--save", "--json", "--report", "--checkpoint"):
            for name in ("labels", "images"):
                self.fails(2, *self.arguments(flag, name), says=["would destroy"])
            self.fails(2, "train", "photos", "--model", "lenet", flag, "photos/1.png", says=["would destroy"])
        self.fails(2, *self.arguments("--weights", "m", "--save", "m"), says=["would destroy"])
        self.fails(2, "predict", "m", "images", "--out", "images", says=["would destroy"])

    def test_a_training_that_diverges_says_so_and_saves_nothing(self):
        _, err = self.train("--epochs", "5", "--lr", "1e6", "--save", "m", "--json", "t.json", expect=1)
        self.assertIn("training diverged in epoch", err)
        self.assertIn("--lr", err)
        self.assertFalse((self.folder / "m").exists())
        self.assertIn("diverged", self.json()["diverged"])
        self.assertIsNone(self.json()["saved"])

    def test_a_small_file_that_tells_of_a_large_network_is_refused_at_once(self):
        self.train("--epochs", "1", "--save", "m")
        content = self.read("m")
        self.assertIn(b"lenet", content)
        self.write("hostile", content.replace(b"lenet", b"vgg19"))
        self.fails(3, "predict", "hostile", "images", says=["hostile"])


if __name__ == "__main__":
    main()
