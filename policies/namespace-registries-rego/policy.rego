# The images of a pod come from the registries that its namespace names, in a ConfigMap. A namespace may be free to use any.
package namespace_registries

# As Gatekeeper asks: input.review is the request, and the objects of the cluster are in data.inventory.
violation contains {"msg": msg} if {
	some container in containers
	not is_free
	not is_named(container.image)
	msg := sprintf("the image %q of container %q is from none of the registries that the namespace %q names", [
		container.image,
		container.name,
		namespace,
	])
}

violation contains {"msg": msg} if {
	not is_known
	msg := sprintf("the namespace %q is not known yet", [namespace])
}

# Without one the rules above would be undefined, and nothing a violation.
namespace := object.get(input.review, "namespace", "")

containers := array.concat(
	object.get(input.review.object.spec, "containers", []),
	object.get(input.review.object.spec, "initContainers", []),
)

is_known if namespaces[namespace]

is_free if namespaces[namespace].metadata.labels.registries == "any"

is_named(image) if {
	some prefix in split(trim_space(config_maps[namespace].registries.data.prefixes), "\n")
	prefix != ""
	startswith(image, prefix)
}

namespaces := data.inventory.cluster.v1.Namespace

# Those of the OPA behind a webhook of Kubernetes are in data.kubernetes.
namespaces := data.kubernetes.namespaces

config_maps := {name: objects.v1.ConfigMap | some name, objects in data.inventory.namespace} if data.inventory

config_maps := data.kubernetes.configmaps

# The same as OPA is asked by Kubernetes: input.request is the request.
main := {"response": {"allowed": count(messages) == 0, "status": {"message": concat(", ", messages)}}}

messages contains violated.msg if {
	some violated in violation with input as {"review": input.request}
}
