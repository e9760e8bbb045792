"""Enough of 3D Slicer to run the module's own code on the real MRML core, without Slicer.

Real, from the package slicer-core: the scene, all nodes, logics, storage, displayable managers,
``slicer.util``. Stand-ins, of the least that the module uses: the application object, translation, the base
classes of scripted modules, parameter nodes, installation of packages, sample data (``modules``), and Qt's
PythonQt dialect with Slicer's widgets (``qt``, on PySide6).

What passes here proves what the module does to a scene, and that its panel is wired as meant. It does not
prove how Slicer's own widgets behave. With the folder ``Base/Python`` of Slicer's sources in the environment
variable DMCVR_SLICER_PYTHON, the base classes, translation, parameter nodes, installation of packages and
``slicer.util`` are those of that Slicer instead of stand-ins; of its sources beside that folder, the Sample
Data module is tried as well.
"""

import os

# Drawing needs no display; without this VTK looks for one first, and complains.
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
