"""Runs in Slicer: the shipped batch example over a folder with a phantom."""

import runpy
import sys
import tempfile
import unittest
from pathlib import Path

import slicer
from DMCVRReconstructionLib.running.installation import missing
from DMCVRReconstructionLib.running.phantom_sample import loadPhantom


class DMCVRBatchTest(unittest.TestCase):
    """The batch example does a folder without a question, and tells by its exit code how it went."""

    def setUp(self):
        if names := missing():
            self.skipTest(f"Python packages are not installed: {', '.join(names)}")
        slicer.mrmlScene.Clear()

    def test_folder(self):
        script = (
            Path(slicer.util.modulePath("DMCVRReconstruction")).parent
            / "Resources/Batch/reconstruct_folder.py"
        )
        with tempfile.TemporaryDirectory() as folder:
            stack = loadPhantom(frames=1)[0]
            slicer.util.saveNode(stack, str(Path(folder) / "heart.nrrd"))
            slicer.mrmlScene.Clear()
            arguments = sys.argv
            sys.argv = [
                str(script),
                folder,
                "--output",
                str(Path(folder) / "out"),
                "--spacing",
                "5",
                "--steps",
                "1",
            ]
            try:
                with self.assertRaises(SystemExit) as ended:
                    runpy.run_path(str(script), run_name="__main__")
            finally:
                sys.argv = arguments
            self.assertEqual(ended.exception.code, 0)
            self.assertTrue((Path(folder) / "out" / "heart" / "segmentation.seg.nrrd").is_file())
