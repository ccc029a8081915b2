# Every container has a memory limit, and none has more than the settings allow.
package memory_limits

# As Gatekeeper asks: input.review is the request, input.parameters the settings.
violation contains {"msg": msg} if {
	some container in containers(input.review.object)
	not container.resources.limits.memory
	msg := sprintf("container %q has no memory limit; set resources.limits.memory to %s or less", [
		container.name,
		input.parameters.max,
	])
}

violation contains {"msg": msg} if {
	some container in containers(input.review.object)
	limit := container.resources.limits.memory
	units.parse_bytes(limit) > units.parse_bytes(input.parameters.max)
	msg := sprintf("container %q may use %s of memory; the most is %s", [
		container.name,
		limit,
		input.parameters.max,
	])
}

violation contains {"msg": "the settings need `max`, an amount of memory such as 512Mi"} if not input.parameters.max

# A limit that is no amount of memory is not a small one.
violation contains {"msg": msg} if {
	some container in containers(input.review.object)
	limit := container.resources.limits.memory
	not units.parse_bytes(limit)
	msg := sprintf("container %q has a memory limit that cannot be read: %v", [container.name, limit])
}

containers(manifest) := array.concat(
	object.get(object.get(manifest, "spec", {}), "containers", []),
	object.get(object.get(manifest, "spec", {}), "initContainers", []),
)

# The same as OPA is asked by Kubernetes: input.request is the request, data the settings.
main := {"response": {"allowed": count(messages) == 0, "status": {"message": concat(", ", messages)}}}

messages contains violated.msg if {
	some violated in violation with input as {"review": input.request, "parameters": {"max": data.max}}
}
