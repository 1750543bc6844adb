import torch
from torch import distributed, nn
from torch.distributed.fsdp import fully_shard

import dlref

if distributed.is_torchelastic_launched():  # by torchrun
    distributed.init_process_group("gloo")
else:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
mesh = distributed.init_device_mesh("cpu", (distributed.get_world_size(),))
module = dlref.to_torch(dlref.gpt(128, 32, 32, 2, 4, seed=0)).train()
for part in [*list(module.children())[1:-1], module]:  # each block, then what is left
    fully_shard(part, mesh=mesh)
optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
rows = torch.tensor(list(b"it runs " * 66)).reshape(16, 33)[mesh.get_rank() :: mesh.size()]
for _ in range(20):
    loss = nn.functional.cross_entropy(module(rows[:, :-1]).mT, rows[:, 1:])  # logits (N, V, T)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
held = sum(p.to_local().numel() for p in module.state_dict().values())
print(f"process {mesh.get_rank()} holds {held:,} parameters; loss {loss.item():.3f}")
distributed.barrier()  # who closes before the others stops their last message
distributed.destroy_process_group()
