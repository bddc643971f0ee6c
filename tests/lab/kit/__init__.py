"""What the lab's programs share: the world of namespaces, real servers, the wire's truth, the comparison."""
