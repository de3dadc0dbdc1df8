#!/usr/bin/python3
"""Writes corpus/validate: the first byte says which state, each pair after it how one number changes (fuzz_validate.cpp)."""
import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus" / "validate"
CORPUS.mkdir(parents=True, exist_ok=True)
for number, name in enumerate(["tree", "sparse", "random", "binary_tree", "frame", "series", "columns", "seeds"]):
    (CORPUS / name).write_bytes(bytes([number]))
    (CORPUS / (name + "_near")).write_bytes(bytes([number]) + bytes([0, 0, 1, 1] * 12))
    (CORPUS / (name + "_far")).write_bytes(bytes([number]) + bytes([0, 0, 0, 0, 4, 3, 5, 1, 6, 1, 2, 9, 3, 9] * 4))
