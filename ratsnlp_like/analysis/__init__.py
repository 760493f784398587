"""Analysis of predictions: mistakes, slices of the data with more of them, reliability of the confidences."""
