"""Korean text: normalisation with a map to the original, tokens with offsets, spans and particles."""
