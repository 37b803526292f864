//! A failed step of one image.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::event::Step;
use crate::failure::{Failure, Kind};

/// One image failed at one step. The image is named by whoever holds the error.
#[derive(Clone, Debug)]
pub struct StepError {
    step: Step,
    cause: Arc<dyn Failure>,
}

impl StepError {
    /// A failure at a step.
    pub fn new(step: Step, cause: impl Failure) -> Self {
        Self {
            step,
            cause: Arc::new(cause),
        }
    }

    /// The step that failed.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// For `map_err`: wraps any room's error with the step.
    pub(super) fn at<E: Failure>(step: Step) -> impl FnOnce(E) -> Self {
        move |cause| Self::new(step, cause)
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {}", self.step)
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl Failure for StepError {
    fn kind(&self) -> Kind {
        self.cause.kind()
    }

    fn hint(&self) -> Option<String> {
        self.cause.hint()
    }
}
