"""Images, DICOM folders, scenes and labelled data sets: how they are read and written."""
