//! A stand-in for ECR on loopback: API and registry in one process. It shares only `image` with the rest, so that it cannot share its bugs.
