//! Who we are at a registry: the file, AWS, Docker's configuration; precedence lives here alone.
