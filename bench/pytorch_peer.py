"""Training steps of ViTMAEForPreTraining, timed on request.

Speaks the protocol of bench/peer-process.mjs: one JSON line when ready, then for each line {"steps": n} on standard
input that many steps and one JSON line with their seconds. Usage: pytorch_peer.py CONFIG_JSON
"""

import json
import sys
import time

import torch
from transformers import ViTMAEConfig, ViTMAEForPreTraining


def resident_peak():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def reset_peak():
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    config = ViTMAEConfig(
        image_size=case["size"],
        patch_size=case["patchSize"],
        hidden_size=case["width"],
        num_hidden_layers=case["depth"],
        num_attention_heads=case["heads"],
        intermediate_size=4 * case["width"],
        decoder_hidden_size=case["decoderWidth"],
        decoder_num_hidden_layers=case["decoderDepth"],
        decoder_num_attention_heads=case["decoderHeads"],
        decoder_intermediate_size=4 * case["decoderWidth"],
        mask_ratio=0.75,
        norm_pix_loss=True,
        layer_norm_eps=1e-6,
        attn_implementation="sdpa",
    )
    model = ViTMAEForPreTraining(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, foreach=True)
    images = torch.randn(case["batch"], 3, case["size"], case["size"])
    run = torch.compile(model) if case["compile"] else model
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=case["precision"] == "bf16")

    def step():
        start = time.perf_counter()
        with autocast:
            loss = run(images).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        return time.perf_counter() - start, value

    try:
        first, _ = step()
    except Exception as error:  # torch.compile has many; the bench reports them and goes on without this peer
        print(json.dumps({"failed": f"{type(error).__name__}: {error}"}), flush=True)
        return
    for _ in range(case["warmup"] - 1):
        step()
    reset_peak()
    ready = {"ready": True, "version": f"PyTorch {torch.__version__}", "compile": {"firstStepSeconds": first}}
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        timed = [step() for _ in range(json.loads(line)["steps"])]
        report = {
            "seconds": [seconds for seconds, _ in timed],
            "loss": timed[-1][1],
            "residentBytes": resident_peak(),
        }
        print(json.dumps(report), flush=True)


main()
