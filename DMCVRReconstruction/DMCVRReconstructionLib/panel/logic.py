"""The module's logic: what scripts call. It asks nothing and shows nothing; what goes wrong is raised."""

from __future__ import annotations

from dataclasses import replace

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from ..comparison.lax_comparison import LaxComparison
from ..comparison.lax_images import LaxImage, findLaxImages, laxImage
from ..running.reconstruction_run import Run, Settings
from ..scene.result_nodes import INPUT_ROLE, ResultNodes, resultOf
from ..scene.stack_input import stackInput
from .parameter_node import DMCVRParameterNode


class DMCVRReconstructionLogic(ScriptedLoadableModuleLogic):
    """Reconstruction of a short-axis stack in the scene, and its comparison with long-axis images."""

    def getParameterNode(self) -> DMCVRParameterNode:
        """The panel's choices, which are kept in the scene."""
        return DMCVRParameterNode(super().getParameterNode())

    def reconstruct(
        self,
        inputNode,
        settings: Settings | None = None,
        labelsNode=None,
        replaceVolume=None,
        wait: bool = True,
        secondsEach: dict[str, float] | None = None,
        **options,
    ) -> ResultNodes | Run:
        """Reconstruct the stack that ``inputNode`` is, or is a slice of.

        inputNode: volume, volume sequence, multi-volume, or one of the slices that DICOM import made.
        settings: how; ``options`` change single fields of it: ``reconstruct(node, frame="es", spacing=2.0)``.
        labelsNode: segmentation or label volume of the acquired slices, instead of segmenting them.
        replaceVolume: volume of an earlier result that the new one takes the place of.
        wait: True blocks until the ``ResultNodes`` are there; False returns the started ``Run`` at once, to
            be polled. secondsEach: what steps took before, for the estimate of the time left.

        Raises ``dmcvr.core.errors.InputError`` for an input or an option that will not do,
        ``errors.WorkerError`` where the computation fails, and ``dmcvr.core.errors.CancelledError`` if it is
        cancelled.
        """
        settings = replace(settings or Settings(), **options)
        replaceID = replaceVolume.GetID() if replaceVolume is not None else None
        run = Run(inputNode, settings, labelsNode, replaceID, secondsEach)
        run.start()
        return run.wait() if wait else run

    def findLaxImages(self, inputNode) -> list[LaxImage]:
        """The images in the scene that may be long-axis views of the heart in ``inputNode``."""
        return findLaxImages(stackInput(inputNode))

    def compare(self, volumeNode, laxNodes: list | None = None) -> LaxComparison:
        """The comparison of the result that ``volumeNode`` is part of; ``enter`` shows it.

        laxNodes: the long-axis images; None finds them by how they lie to the input.
        """
        nodes = resultOf(volumeNode)
        if nodes is None:
            raise ValueError("the node is no part of a reconstruction")
        if laxNodes is None:
            inputNode = nodes.table.GetNodeReference(INPUT_ROLE)
            images = self.findLaxImages(inputNode) if inputNode is not None else []
        else:
            images = [laxImage(node) for node in laxNodes]
        return LaxComparison(nodes, images)
