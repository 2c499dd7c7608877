# SPDX-License-Identifier: MIT
"""Joins a race (overtake race --json) and the peers' times (disc_peers.py) of the same machine and run into one record, and
prints it as a Markdown table.

    python3 bench/peers/compare.py race.json peers.json [record.json COMMAND]
"""
import json
import pathlib
import shlex
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import record as recording


def main():
    race, peers = (json.load(open(path)) for path in sys.argv[1:3])
    torch, jax = peers.get("torch", {}), peers.get("jax", {})
    gpu = next((d["id"] for d in race["devices"] if d["id"].startswith("cuda")), None)
    columns = [("cpu", "cpu"), (gpu, "gpu")] if gpu else [("cpu", "cpu")]
    rows = []
    for row in race["rows"]:
        layers = str(row["layers"])
        record = {"layers": row["layers"], "parameters": row["parameters"]}
        for device, name in columns:
            result = row["results"].get(device)
            if result:
                record[f"overtake_{name}_us"] = result["step_us"]
        torch_cpu = [torch.get(way, {}).get(layers) for way in ("cpu_all", "cpu_one")]
        torch_cpu = [t for t in torch_cpu if t]
        record["torch_cpu_us"] = min(torch_cpu) if torch_cpu else None
        record["torch_gpu_us"] = torch.get("gpu_eager", {}).get(layers)
        record["jax_gpu_us"] = jax.get("gpu_scan", {}).get(layers)
        rows.append(record)
    record = {"schema": "overtake.peers/1", "machine": race["machine"], "settings": race["settings"],
              "torch": torch.get("version"), "jax": jax.get("version"), "rows": rows, "crossover": race["crossover"]}
    if len(sys.argv) > 4:
        record = {**recording.head(shlex.split(sys.argv[4])), **record}
        with open(sys.argv[3], "w") as out:
            json.dump(record, out, indent=1)
            out.write("\n")

    def cell(value):
        return "" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"

    names = ["overtake_cpu_us", "torch_cpu_us", "overtake_gpu_us", "torch_gpu_us", "jax_gpu_us"]
    names = [n for n in names if any(row.get(n) for row in rows)]
    print("| layers | parameters | " + " | ".join(n[:-3].replace("_", " ") for n in names) + " |")
    print("| " + " | ".join(["---"] * (len(names) + 2)) + " |")
    for row in rows:
        print(f"| {row['layers']} | {row['parameters']:,} | " + " | ".join(cell(row.get(n)) for n in names) + " |")
    print(f"\nMicroseconds a training step. {race['crossover']['statement']}")


if __name__ == "__main__":
    main()
