"""All of the DMCVR module that touches MRML or Qt. Methods are named as Slicer's are."""
