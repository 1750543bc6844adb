def linear(d, m):
    return (d + 1) * m  # weight (d, m) and bias (m,)


def gpt(vocabulary, context, d, blocks):
    attention = linear(d, 3 * d) + linear(d, d)
    two_layers = linear(d, 4 * d) + linear(4 * d, d)
    norm = 2 * d
    block = attention + two_layers + 2 * norm
    return vocabulary * d + context * d + blocks * block + norm


print(f"GPT-2: {gpt(50257, 1024, 768, 12):,} parameters")
gpt3 = gpt(50257, 2048, 12288, 96)
print(f"GPT-3: {gpt3 / 1e9:.1f} billion parameters")
for bits in (32, 16, 8, 4):
    print(f"GPT-3 at {bits:2} bits each: {gpt3 * bits / 8 / 1e9:.0f} GB")
