//! The build-and-push pipeline: observe, plan, apply.
