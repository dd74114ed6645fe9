-- Every statement begins at arrays and looks up what they lead to: a plan for the arrays of one call is not worth its making.
SET plan_cache_mode = force_generic_plan
