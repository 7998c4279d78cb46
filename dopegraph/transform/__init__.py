"""temp"""
from dopegraph.transform.gradient import grad, stop_gradient, value_and_grad
from dopegraph.transform.record import attach_methods, record
attach_methods()
