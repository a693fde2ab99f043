"""Labelled sentences and the score of a detector on them, by entity."""
