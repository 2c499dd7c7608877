# SPDX-License-Identifier: MIT
"""Files that cannot be used: the right exit code, place and hint, and nothing half-written."""
import os
import unittest

from support import IRIS, CliTest, main

HEADER = "a,b,label\n"
GOOD = HEADER + "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(30))


class BadData(CliTest):
    def train_fails(self, content, *says, code=3, target="label"):
        path = self.write("data.csv", content)
        return self.fails(code, "train", path, "--target", target, "--epochs", "1", "--device", "cpu", "--save", "m.safetensors",
                          "--json", "t.json", says=says)

    def test_good_data_passes(self):
        path = self.write("data.csv", GOOD)
        self.overtake("train", path, "--target", "label", "--epochs", "1", "--device", "cpu")

    def test_missing_file(self):
        self.fails(3, "train", "nothing.csv", "--target", "x", says=("nothing.csv",))

    def test_misspelt_column(self):
        self.train_fails(GOOD, "lable", "Did you mean label?", code=2, target="lable")

    def test_misspelt_dropped_column(self):
        path = self.write("data.csv", GOOD.replace("a,b,label", "alpha,beta,label"))
        self.fails(2, "train", path, "--target", "label", "--drop", "aplha", says=("aplha", "alpha"))

    def test_ragged_row(self):
        self.train_fails(GOOD + "1,2\n", "data.csv", "line 32")

    def test_text_in_a_numeric_column(self):
        self.train_fails(GOOD.replace("\n7,0,", "\n7,oops,"), "data.csv", "line 9", "oops")

    def test_empty_file(self):
        self.train_fails("", "data.csv", "empty")
        self.train_fails(HEADER, "data.csv")

    def test_invalid_utf8(self):
        self.train_fails(GOOD.encode() + b"1,2,\xff\xfe\n", "data.csv", "line 32")

    def test_one_class_is_trained_with_a_warning(self):
        path = self.write("data.csv", GOOD.replace("yes", "no"))
        _, err = self.overtake("train", path, "--target", "label", "--epochs", "1", "--device", "cpu", "--save", "m")
        self.assertIn("only one class", err)
        self.overtake("predict", "m", path, "--out", "p.csv")
        self.assertEqual((self.folder / "p.csv").read_text(), "label\n" + "no\n" * 30)

    def test_a_huge_line_is_refused_unread(self):
        self.train_fails(HEADER.encode() + b"1" * (70 << 20) + b"\n", "data.csv", "line 2")

    def test_not_a_number_in_the_target(self):
        self.train_fails(GOOD.replace("\n7,0,no", "\n7,0,NA").replace("\n7,0,yes", "\n7,0,NA"), "data.csv", "line 9")

    def test_binary_file(self):
        self.train_fails(bytes(range(256)) * 20, "data.csv")


class BadModel(CliTest):
    def model(self):
        self.overtake("train", IRIS, "--target", "species", "--epochs", "1", "--hidden", "4", "--device", "cpu", "--save", "m")
        return (self.folder / "m").read_bytes()

    def predict_fails(self, content, *says):
        self.write("bad", content)
        return self.fails(3, "predict", "bad", IRIS, "--out", "p.csv", says=("bad",) + says)

    def test_truncated(self):
        whole = self.model()
        for length in (0, 4, 8, 60, len(whole) // 2, len(whole) - 1):
            self.predict_fails(whole[:length])

    def test_altered(self):
        whole = bytearray(self.model())
        for position in (len(whole) - 1, len(whole) - 40, 9, 3):
            changed = bytearray(whole)
            changed[position] ^= 0x41
            self.predict_fails(bytes(changed))

    def test_lengths_that_lie(self):
        self.predict_fails(b"\xff" * 8 + b"{}")
        self.predict_fails((2**40).to_bytes(8, "little") + b"{}")

    def test_not_a_model(self):
        self.predict_fails(GOOD.encode())
        self.fails(3, "predict", "nothing", IRIS, "--out", "p.csv", says=("nothing",))

    def test_data_without_a_column(self):
        self.model()
        path = self.write("flowers.csv", "sepal_length,sepal_width,petal_lenght,petal_width\n1,2,3,4\n2,3,4,5\n")
        self.fails(3, "predict", "m", path, "--out", "p.csv", says=("petal_length", "petal_lenght"))

    def test_altered_checkpoint(self):
        flags = ("train", IRIS, "--target", "species", "--epochs", "2", "--hidden", "4", "--device", "cpu", "--checkpoint", "c")
        self.overtake(*flags)
        whole = (self.folder / "c").read_bytes()
        for content in (whole[:-7], whole[:20], bytes([whole[0] ^ 1]) + whole[1:], whole[:-1] + bytes([whole[-1] ^ 1])):
            self.write("c", content)
            self.fails(3, *flags, "--resume", says=("c",))


class BadOutput(CliTest):
    def test_folders_that_do_not_exist(self):
        for flag in ("--save", "--checkpoint", "--json"):
            self.fails(3, "train", IRIS, "--target", "species", "--epochs", "1", flag, "no/such/file", says=("no/such/file",))
        self.fails(3, "predict", "m", IRIS, "--out", "no/such/file", says=("no/such/file",))

    def test_a_folder_as_file(self):
        (self.folder / "here").mkdir()
        self.fails(3, "train", IRIS, "--target", "species", "--epochs", "1", "--save", "here", says=("here",))

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk(self):
        self.fails(3, "train", IRIS, "--target", "species", "--epochs", "1", "--device", "cpu", "--json", "/dev/full",
                   says=("/dev/full",))


if __name__ == "__main__":
    main()
