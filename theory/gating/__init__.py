"""The mean gate of a cell, a class and a group, exact in visits and mixed over the steps of the stream."""
