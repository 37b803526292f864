//! The file as written, and the checked specification that everything above works from.

mod specification;

pub use specification::{
    Destination, ImageSpecification, OnConflict, Platforms, Repositories, Specification, Upstream,
};
