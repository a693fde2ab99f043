"""Rule files: read strictly, compiled at load, swapped whole or not at all."""
