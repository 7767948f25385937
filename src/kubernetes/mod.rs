//! The manifests that run a matrix in a cluster.
