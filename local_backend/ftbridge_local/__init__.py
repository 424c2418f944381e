"""LoRA on this machine with torch and peft."""

import os

# Read when torch and tokenizers are loaded, so they have to be set before. Threads that spin while they wait make
# training several times slower wherever other programs want the cores too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
