"""What lies in the MRML scene: the input that is read from it and the result that is put into it."""
