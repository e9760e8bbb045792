"""Signals of tissues in balanced steady-state free precession (bSSFP) at 1.5 T, relative to blood.

Fat is negative: at TE = TR / 2 it is out of phase with water, and the magnitude of the sum of both in a voxel
gives the dark lines around organs that readers know.
"""

BLOOD, MYOCARDIUM, VALVE, VESSEL_WALL = 1.0, 0.25, 0.42, 0.30
FAT, SKIN, MUSCLE, MARROW, CORTEX, DISC = -0.85, 0.45, 0.17, 0.34, 0.06, 0.17
LUNG, LUNG_VESSEL, OESOPHAGUS = 0.035, 0.75, 0.25
LIVER, LIVER_VESSEL, STOMACH, STOMACH_WALL, SPLEEN, BOWEL = 0.24, 0.62, 0.2, 0.23, 0.34, 0.25
KIDNEY_CORTEX, KIDNEY_MEDULLA = 0.48, 0.36
FLUID, CORD = 1.05, 0.42
