"""Many stacks: ``reconstruct`` over a cohort, on one machine or on a cluster.

sources finds the inputs (dicomtree those of DICOM files), cases lists them; work does one case, with a record
that says how it ended (records, failures) and a picture of it (preview); engine hands cases to Dask, which
clusters starts, or goes through them one by one; function and quality judge the records, table and summary
tell of all of them. What a run has done is kept in files only, so any process may die at any time.
"""
