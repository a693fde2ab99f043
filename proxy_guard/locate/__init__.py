"""Where text and media sit: JSONPath compiled to closures, and the slots it reaches."""
