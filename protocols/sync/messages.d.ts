// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface Head {
    library: Uint8Array;
    head: Uint8Array;
}
export declare namespace Head {
    const codec: () => Codec<Head>;
    interface HeadLibraryFieldEvent {
        field: '$.library';
        value: Uint8Array;
    }
    interface HeadHeadFieldEvent {
        field: '$.head';
        value: Uint8Array;
    }
    function encode(obj: Partial<Head>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Head>): Head;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Head>): Generator<HeadLibraryFieldEvent | HeadHeadFieldEvent>;
}
export interface Hello {
    library: Uint8Array;
    root: Uint8Array;
    records: number;
    revision: number;
    nonce: Uint8Array;
    cells: Uint8Array;
    counts: Uint8Array;
    epoch?: number;
    traceparent: string;
}
export declare namespace Hello {
    const codec: () => Codec<Hello>;
    interface HelloLibraryFieldEvent {
        field: '$.library';
        value: Uint8Array;
    }
    interface HelloRootFieldEvent {
        field: '$.root';
        value: Uint8Array;
    }
    interface HelloRecordsFieldEvent {
        field: '$.records';
        value: number;
    }
    interface HelloRevisionFieldEvent {
        field: '$.revision';
        value: number;
    }
    interface HelloNonceFieldEvent {
        field: '$.nonce';
        value: Uint8Array;
    }
    interface HelloCellsFieldEvent {
        field: '$.cells';
        value: Uint8Array;
    }
    interface HelloCountsFieldEvent {
        field: '$.counts';
        value: Uint8Array;
    }
    interface HelloEpochFieldEvent {
        field: '$.epoch';
        value: number;
    }
    interface HelloTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<Hello>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Hello;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Generator<HelloLibraryFieldEvent | HelloRootFieldEvent | HelloRecordsFieldEvent | HelloRevisionFieldEvent | HelloNonceFieldEvent | HelloCellsFieldEvent | HelloCountsFieldEvent | HelloEpochFieldEvent | HelloTraceparentFieldEvent>;
}
export interface Sketch {
    records: number;
    cells: Uint8Array;
    counts: Uint8Array;
    more: boolean;
}
export declare namespace Sketch {
    const codec: () => Codec<Sketch>;
    interface SketchRecordsFieldEvent {
        field: '$.records';
        value: number;
    }
    interface SketchCellsFieldEvent {
        field: '$.cells';
        value: Uint8Array;
    }
    interface SketchCountsFieldEvent {
        field: '$.counts';
        value: Uint8Array;
    }
    interface SketchMoreFieldEvent {
        field: '$.more';
        value: boolean;
    }
    function encode(obj: Partial<Sketch>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sketch>): Sketch;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sketch>): Generator<SketchRecordsFieldEvent | SketchCellsFieldEvent | SketchCountsFieldEvent | SketchMoreFieldEvent>;
}
export interface Opening {
    nonce: Uint8Array;
    records: number;
    depth: number;
    first: number;
    count: number;
}
export declare namespace Opening {
    const codec: () => Codec<Opening>;
    interface OpeningNonceFieldEvent {
        field: '$.nonce';
        value: Uint8Array;
    }
    interface OpeningRecordsFieldEvent {
        field: '$.records';
        value: number;
    }
    interface OpeningDepthFieldEvent {
        field: '$.depth';
        value: number;
    }
    interface OpeningFirstFieldEvent {
        field: '$.first';
        value: number;
    }
    interface OpeningCountFieldEvent {
        field: '$.count';
        value: number;
    }
    function encode(obj: Partial<Opening>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Opening>): Opening;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Opening>): Generator<OpeningNonceFieldEvent | OpeningRecordsFieldEvent | OpeningDepthFieldEvent | OpeningFirstFieldEvent | OpeningCountFieldEvent>;
}
export interface Descend {
    opening?: Opening;
    answers: Uint8Array;
    shapes: Uint8Array;
    fingerprints: Uint8Array;
    more: boolean;
}
export declare namespace Descend {
    const codec: () => Codec<Descend>;
    interface DescendOpeningNonceFieldEvent {
        field: '$.opening.nonce';
        value: Uint8Array;
    }
    interface DescendOpeningRecordsFieldEvent {
        field: '$.opening.records';
        value: number;
    }
    interface DescendOpeningDepthFieldEvent {
        field: '$.opening.depth';
        value: number;
    }
    interface DescendOpeningFirstFieldEvent {
        field: '$.opening.first';
        value: number;
    }
    interface DescendOpeningCountFieldEvent {
        field: '$.opening.count';
        value: number;
    }
    interface DescendAnswersFieldEvent {
        field: '$.answers';
        value: Uint8Array;
    }
    interface DescendShapesFieldEvent {
        field: '$.shapes';
        value: Uint8Array;
    }
    interface DescendFingerprintsFieldEvent {
        field: '$.fingerprints';
        value: Uint8Array;
    }
    interface DescendMoreFieldEvent {
        field: '$.more';
        value: boolean;
    }
    function encode(obj: Partial<Descend>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Descend>): Descend;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Descend>): Generator<DescendOpeningNonceFieldEvent | DescendOpeningRecordsFieldEvent | DescendOpeningDepthFieldEvent | DescendOpeningFirstFieldEvent | DescendOpeningCountFieldEvent | DescendAnswersFieldEvent | DescendShapesFieldEvent | DescendFingerprintsFieldEvent | DescendMoreFieldEvent>;
}
export interface Want {
    keys: Uint8Array;
    unresolved: number;
    more: boolean;
}
export declare namespace Want {
    const codec: () => Codec<Want>;
    interface WantKeysFieldEvent {
        field: '$.keys';
        value: Uint8Array;
    }
    interface WantUnresolvedFieldEvent {
        field: '$.unresolved';
        value: number;
    }
    interface WantMoreFieldEvent {
        field: '$.more';
        value: boolean;
    }
    function encode(obj: Partial<Want>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Want>): Want;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Want>): Generator<WantKeysFieldEvent | WantUnresolvedFieldEvent | WantMoreFieldEvent>;
}
export interface Records {
    records: Uint8Array[];
}
export declare namespace Records {
    const codec: () => Codec<Records>;
    interface RecordsRecordsFieldEvent {
        field: '$.records[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<Records>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Records>): Records;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Records>): Generator<RecordsRecordsFieldEvent>;
}
export interface Fin {
    root: Uint8Array;
}
export declare namespace Fin {
    const codec: () => Codec<Fin>;
    interface FinRootFieldEvent {
        field: '$.root';
        value: Uint8Array;
    }
    function encode(obj: Partial<Fin>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Fin>): Fin;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Fin>): Generator<FinRootFieldEvent>;
}
export interface Changes {
    root: Uint8Array;
    gone: Uint8Array;
}
export declare namespace Changes {
    const codec: () => Codec<Changes>;
    interface ChangesRootFieldEvent {
        field: '$.root';
        value: Uint8Array;
    }
    interface ChangesGoneFieldEvent {
        field: '$.gone';
        value: Uint8Array;
    }
    function encode(obj: Partial<Changes>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Changes>): Changes;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Changes>): Generator<ChangesRootFieldEvent | ChangesGoneFieldEvent>;
}
export interface Abort {
    status: number;
    code: string;
    message: string;
    retryAfterMs: number;
}
export declare namespace Abort {
    const codec: () => Codec<Abort>;
    interface AbortStatusFieldEvent {
        field: '$.status';
        value: number;
    }
    interface AbortCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface AbortMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    interface AbortRetryAfterMsFieldEvent {
        field: '$.retryAfterMs';
        value: number;
    }
    function encode(obj: Partial<Abort>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Abort>): Abort;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Abort>): Generator<AbortStatusFieldEvent | AbortCodeFieldEvent | AbortMessageFieldEvent | AbortRetryAfterMsFieldEvent>;
}
