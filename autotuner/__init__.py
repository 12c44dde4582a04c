"""The search for schedules. Nothing is here yet.

It will take the space of legal schedules from the analyzer, rank them with a cost model, measure the best in worker
processes that can be killed, and keep what it finds as data under schedules/tuned/.
"""
