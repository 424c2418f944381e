"""Distillation: the answers of one model, the teacher, become rows on which another is trained."""
