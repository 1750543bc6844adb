"""A GPT on the Python manual, character by character, beside n-grams that count the same text."""

import argparse
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

import dlref

SEED, CONTEXT, FEATURES, DEPTH, HEADS = 0, 128, 128, 4, 4
BATCH_SIZE, EPOCHS, LEARNING_RATE = 16, 4, 0.003
STRIDE = 64  # in training: windows overlap by half, so that an epoch sees each character twice


def train(device: str, epochs: int = EPOCHS) -> tuple[dlref.GPT, dict[str, list[float]]]:
    """Train by ``fit``, and evaluate after each epoch on text that is not trained on."""
    train_ids, validation_ids, characters = dlref.data.python_manual()
    data, validation = (
        tuple(dlref.asarray(array, device) for array in dlref.data.windows(ids, CONTEXT, stride))
        for ids, stride in ((train_ids, STRIDE), (validation_ids, CONTEXT))
    )
    net = dlref.gpt(len(characters), CONTEXT, FEATURES, DEPTH, HEADS, seed=SEED, device=device)
    steps = epochs * math.ceil(len(data[0]) / BATCH_SIZE)
    history = dlref.fit(
        net,
        data,
        loss=dlref.cross_entropy,
        optimizer=dlref.AdamW(LEARNING_RATE, betas=(0.9, 0.99), weight_decay=0.1),
        schedule=dlref.WarmupCosine(LEARNING_RATE, steps, warmup=100, last=LEARNING_RATE / 20),
        max_norm=1.0,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        seed=SEED,
        validation=validation,
    )
    return net, history


def ngram_loss(train_ids: Sequence[int], ids: Sequence[int], order: int, characters: int) -> float:
    """Nats a character of n-grams with interpolation as by Witten and Bell (1991), method C.

    A context's own counts have the weight total / (total + different successors), the next shorter
    context has the rest, and the shortest is uniform.
    """
    counts: list[dict[tuple[int, ...], Counter[int]]] = []
    for n in range(order):
        found: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for i in range(n, len(train_ids)):
            found[tuple(train_ids[i - n : i])][train_ids[i]] += 1
        counts.append(dict(found))
    totals = [{c: (s.total(), len(s)) for c, s in level.items()} for level in counts]
    nats = 0.0
    for i, character in enumerate(ids):
        p = 1 / characters
        for n in range(min(order, i + 1)):
            context = tuple(ids[i - n : i])
            if context in totals[n]:
                total, different = totals[n][context]
                p = (counts[n][context][character] + different * p) / (total + different)
        nats -= math.log(p)
    return nats / len(ids)


def main() -> None:
    """Train, time it, and print both beside each other, with a sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    start = time.perf_counter()
    net, history = train(device)
    seconds = time.perf_counter() - start
    for epoch, (loss, validation) in enumerate(
        zip(history["loss"], history["validation_loss"], strict=True), start=1
    ):
        print(f"epoch {epoch}: {loss:.3f} in training, {validation:.3f} on unseen text")
    print(f"{net.layers[0]}, depth {DEPTH}, {device}, seed {SEED}: {seconds:.0f} s")
    train_ids, validation_ids, characters = dlref.data.python_manual()
    for order in range(1, 8):
        loss = ngram_loss(train_ids.tolist(), validation_ids.tolist(), order, len(characters))
        print(f"{order}-gram: {loss:.3f} nats a character", flush=True)
    text = net.generate(validation_ids[:32], 300, temperature=0.8, top_k=20, seed=SEED)
    sys.stdout.write("".join(characters[i] for i in np.asarray(text)) + "\n")


if __name__ == "__main__":
    main()
