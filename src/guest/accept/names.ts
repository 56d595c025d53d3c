// Which names a program reads and which it defines itself. Scopes are ignored: a name that is defined anywhere counts as
// defined everywhere. Pure.
import type { AnyNode, Identifier } from 'acorn';
import { childrenOf } from './syntax.ts';

export type Names = {
  readonly read: readonly Identifier[];
  /** Names that are declared, parameters, or assigned to. */
  readonly made: ReadonlySet<string>;
  /** Identifiers that are read in a shorthand property: `{ name }`. */
  readonly short: ReadonlySet<Identifier>;
  /** The offsets at which expression statements begin. */
  readonly statements: ReadonlySet<number>;
};

type Item = { readonly node: AnyNode; readonly makes: boolean };

export function namesIn(root: AnyNode): Names {
  const read: Identifier[] = [];
  const made = new Set<string>();
  const short = new Set<Identifier>();
  const statements = new Set<number>();
  const stack: Item[] = [{ node: root, makes: false }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { node, makes } = item;
    if (node.type === 'Identifier') {
      if (makes) made.add(node.name);
      else read.push(node);
      continue;
    }
    if (node.type === 'ExpressionStatement') statements.add(node.start);
    if (node.type === 'Property' && node.shorthand && !makes && node.value.type === 'Identifier') short.add(node.value);
    for (const part of partsOf(node, makes)) stack.push(part);
  }
  return { read, made, short, statements };
}

const reads = (nodes: readonly (AnyNode | null | undefined)[]): Item[] => itemsOf(nodes, false);
const makes = (nodes: readonly (AnyNode | null | undefined)[]): Item[] => itemsOf(nodes, true);

function itemsOf(nodes: readonly (AnyNode | null | undefined)[], made: boolean): Item[] {
  const items: Item[] = [];
  for (const node of nodes) if (node) items.push({ node, makes: made });
  return items;
}

/** `target`: something is assigned to this node. */
function partsOf(node: AnyNode, target: boolean): Item[] {
  switch (node.type) {
    case 'MemberExpression':
      return reads([node.object, node.computed ? node.property : undefined]);
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return [...reads([node.computed ? node.key : undefined]), ...itemsOf([node.value], target)];
    case 'VariableDeclarator':
      return [...makes([node.id]), ...reads([node.init])];
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return [...makes([node.id, ...node.params]), ...reads([node.body])];
    case 'ClassDeclaration':
    case 'ClassExpression':
      return [...makes([node.id]), ...reads([node.superClass, node.body])];
    case 'CatchClause':
      return [...makes([node.param]), ...reads([node.body])];
    case 'AssignmentExpression':
      return [...makes([node.left]), ...reads([node.right])];
    case 'AssignmentPattern':
      return [...makes([node.left]), ...reads([node.right])];
    case 'UpdateExpression':
      return makes([node.argument]);
    case 'ForInStatement':
    case 'ForOfStatement':
      return [...makes([node.left]), ...reads([node.right, node.body])];
    case 'UnaryExpression':
      // `typeof name` does not throw for a name that is not defined.
      return node.operator === 'typeof' && node.argument.type === 'Identifier' ? [] : reads([node.argument]);
    case 'LabeledStatement':
      return reads([node.body]);
    case 'ObjectPattern':
    case 'ArrayPattern':
    case 'RestElement':
      return makes(childrenOf(node));
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
      return makes('declaration' in node && node.declaration ? [node.declaration] : node.specifiers.flatMap(localsOf));
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
      return [];
    default:
      return reads(childrenOf(node));
  }
}

const localsOf = (specifier: AnyNode): AnyNode[] => ('local' in specifier ? [specifier.local as AnyNode] : []);
