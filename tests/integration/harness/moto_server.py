"""moto's server, with what Terraform asks of CodeBuild and moto does not know."""

import json

from moto.codebuild import responses
from moto.core.responses import ActionResult
from moto.server import main

check_source = responses._validate_required_params_source


def check_source_with_a_location(source):
    # A project without a source has no location: CodeBuild's API reference, `ProjectSource`.
    if source["type"] != "NO_SOURCE":
        check_source(source)


def update_project(self):
    [project] = self.codebuild_backend.batch_get_projects([self._get_param("name")])
    project.update(json.loads(self.body))
    return ActionResult({"project": project})


responses._validate_required_params_source = check_source_with_a_location
responses.CodeBuildResponse.update_project = update_project
main()
