"""LoRA on this machine with torch and peft."""
