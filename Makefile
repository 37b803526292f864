.PHONY: help bench bench-builds demo test test-equality

help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

bench: ## Compares longshore with skopeo, crane, regsync and ocync, as far as they are there; takes minutes
	@benches/compare

bench-builds: ## Compares longshore with docker's pull, build and push on a base of 360 MB; takes minutes
	@benches/builds

demo: ## Runs the main job against stand-ins for Docker Hub and ECR; installs what is missing
	@scripts/demo

test: ## Runs every check and test on real parts; uses the daemon LONGSHORE_TEST_DOCKER_HOST if set
	@scripts/test

test-equality: ## Compares 600 combinations of metadata lines with what Docker's builders make of them
	@scripts/test-equality
