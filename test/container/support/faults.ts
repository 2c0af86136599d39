import { CONDITION_FAULTS } from './faults/conditions.ts';
import type { Fault } from './faults/fault.ts';
import { DROP_IN_FAULTS, RELATION_FAULTS, UNIT_FAULTS } from './faults/files.ts';
import { GENERATOR_FAULTS, HOOK_FAULTS } from './faults/hooks.ts';
import { REMOVAL_FAULTS, UPGRADE_FAULTS } from './faults/upgrades.ts';

export const FAULTS: readonly Fault[] = [
  ...DROP_IN_FAULTS,
  ...UNIT_FAULTS,
  ...RELATION_FAULTS,
  ...HOOK_FAULTS,
  ...GENERATOR_FAULTS,
  ...UPGRADE_FAULTS,
  ...REMOVAL_FAULTS,
  ...CONDITION_FAULTS,
];
