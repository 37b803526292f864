//! The layers of a repository.

use std::collections::BTreeSet;

use aws_sdk_ecr::types::LayerAvailability;

use super::limits::LAYERS_PER_CHECK;
use super::{Ecr, Error};
use crate::aws;
use crate::image::{Digest, Repository};

impl Ecr {
    /// Which of these blobs a repository has: one call per 100 blobs.
    pub async fn available_layers(
        &self,
        repository: &Repository,
        digests: &BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error> {
        let digests: Vec<String> = digests.iter().map(ToString::to_string).collect();
        let mut available = BTreeSet::new();
        for digests in digests.chunks(LAYERS_PER_CHECK) {
            let output = self
                .client
                .batch_check_layer_availability()
                .set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .set_layer_digests(Some(digests.to_vec()))
                .send()
                .await
                .map_err(|error| Error::CheckLayers {
                    repository: repository.clone(),
                    source: aws::Error::from_sdk("ecr", "BatchCheckLayerAvailability", error),
                })?;
            let layers = output.layers().iter();
            available.extend(
                layers
                    .filter(|layer| {
                        layer.layer_availability() == Some(&LayerAvailability::Available)
                    })
                    .filter_map(|layer| layer.layer_digest()?.parse::<Digest>().ok()),
            );
        }
        Ok(available)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::StandIn;
    use super::*;

    #[tokio::test]
    async fn asks_for_a_hundred_at_a_time() {
        let digests: BTreeSet<Digest> = (0u8..101).map(|byte| Digest::of(&[byte])).collect();
        let known = Digest::of(&[7]);
        let api = StandIn::answering([
            (200, json!({"layers": [], "failures": []})),
            (
                200,
                json!({"layers": [
                    {"layerDigest": known.as_str(), "layerAvailability": "AVAILABLE"},
                    {"layerDigest": Digest::of(&[8]).as_str(), "layerAvailability": "UNAVAILABLE"},
                ]}),
            ),
        ])
        .await;
        let repository = "redis".parse().unwrap();
        let available = api.ecr(None).available_layers(&repository, &digests).await;
        assert_eq!(available.unwrap(), [known].into());
        let sizes: Vec<usize> = api
            .calls()
            .iter()
            .map(|(_, body)| body["layerDigests"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [100, 1]);
    }
}
