-- Every statement begins at arrays and looks up what they lead to: a plan for the arrays of one call is not worth its making, and one
-- that reads whole tables because they are still small would stay when they have grown. (That counts as so dear where there is no
-- other way that it would be compiled to machine code.)
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
