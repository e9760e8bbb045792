"""What `import dmcvr` hands out. A thin door: the pipeline (`reconstruction.pipeline`) does the work, the
command line comes through here as well. Nothing heavy is imported before something runs.
"""
